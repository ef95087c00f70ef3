#ifndef CCHECKSUM_H
#define CCHECKSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Whether this processor multiplies without carries; the other functions may be called only then.
bool checksum_can_fold(void);

/// The CRC-32 of IEEE 802.3.
///
/// @param count At least 64, and a multiple of 16.
uint32_t checksum_fold_crc32(const uint8_t *bytes, size_t count);

#endif
