// CRC-32 by carry-less multiplication, for which Swift has no instruction.
//
// A message that is multiplied by a power of x, modulo the polynomial, keeps its remainder: so 16 bytes can be moved
// ahead in the message and added to what stands there, until 16 bytes are left. Method and constants: V. Gopal and
// others, "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction", Intel 2009, in the bit-reflected
// form. A table-driven CRC is bound by its table lookups, one after the other: this is five to ten times as fast.
#include "CChecksum.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

#define FOLDING __attribute__((target("pclmul,sse4.1")))

bool checksum_can_fold(void) {
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d)) return false;
    return (c & bit_PCLMUL) && (c & bit_SSE4_1);
}

/// `block` moved ahead by the distance that the two powers of x stand for, and added to `next`.
FOLDING static inline __m128i fold(__m128i block, __m128i powers, __m128i next) {
    __m128i low = _mm_clmulepi64_si128(block, powers, 0x00);
    __m128i high = _mm_clmulepi64_si128(block, powers, 0x11);
    return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

FOLDING static inline __m128i load(const uint8_t *bytes) {
    return _mm_loadu_si128((const __m128i *)(const void *)bytes);
}

/// The remainder of the last 16 bytes.
FOLDING static uint32_t reduce(__m128i block, __m128i by16) {
    const __m128i by8 = _mm_set_epi64x(0, 0x163cd6124);
    // The quotient's reciprocal, and the polynomial.
    const __m128i barrett = _mm_set_epi64x(0x1f7011641, 0x1db710641);
    const __m128i words = _mm_setr_epi32(-1, 0, -1, 0);

    block = _mm_xor_si128(_mm_srli_si128(block, 8), _mm_clmulepi64_si128(block, by16, 0x10));
    __m128i rest = _mm_srli_si128(block, 4);
    block = _mm_xor_si128(_mm_clmulepi64_si128(_mm_and_si128(block, words), by8, 0x00), rest);

    __m128i quotient = _mm_clmulepi64_si128(_mm_and_si128(block, words), barrett, 0x10);
    __m128i product = _mm_clmulepi64_si128(_mm_and_si128(quotient, words), barrett, 0x00);
    return (uint32_t)_mm_extract_epi32(_mm_xor_si128(block, product), 1);
}

FOLDING uint32_t checksum_fold_crc32(const uint8_t *bytes, size_t count) {
    const __m128i by64 = _mm_set_epi64x(0x1c6e41596, 0x154442bd4);
    const __m128i by16 = _mm_set_epi64x(0x0ccaa009e, 0x1751997d0);

    // Four blocks at a time: one multiplication need not wait for another.
    __m128i first = _mm_xor_si128(load(bytes), _mm_cvtsi32_si128(-1));
    __m128i second = load(bytes + 16), third = load(bytes + 32), fourth = load(bytes + 48);
    for (bytes += 64, count -= 64; count >= 64; bytes += 64, count -= 64) {
        first = fold(first, by64, load(bytes));
        second = fold(second, by64, load(bytes + 16));
        third = fold(third, by64, load(bytes + 32));
        fourth = fold(fourth, by64, load(bytes + 48));
    }
    __m128i block = fold(first, by16, second);
    block = fold(block, by16, third);
    block = fold(block, by16, fourth);
    for (; count >= 16; bytes += 16, count -= 16) block = fold(block, by16, load(bytes));
    return ~reduce(block, by16);
}

#else

bool checksum_can_fold(void) { return false; }

uint32_t checksum_fold_crc32(const uint8_t *bytes, size_t count) {
    (void)bytes, (void)count;
    return 0;
}

#endif
