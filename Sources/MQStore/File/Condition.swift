#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// A lock with a condition variable on the monotonic clock: the base of ``Wakeup`` and ``Gate``.
@safe final class Condition: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init() {
        unsafe mutex.initialize(to: pthread_mutex_t())
        unsafe condition.initialize(to: pthread_cond_t())
        unsafe check(pthread_mutex_init(mutex, nil))
        #if canImport(Darwin)
        unsafe check(pthread_cond_init(condition, nil))
        #else
        var attributes = pthread_condattr_t()
        unsafe check(pthread_condattr_init(&attributes))
        unsafe check(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC))
        unsafe check(pthread_cond_init(condition, &attributes))
        unsafe check(pthread_condattr_destroy(&attributes))
        #endif
    }

    deinit {
        unsafe pthread_cond_destroy(condition)
        unsafe pthread_mutex_destroy(mutex)
        unsafe condition.deallocate()
        unsafe mutex.deallocate()
    }

    func withLock<Result>(_ body: () -> Result) -> Result {
        unsafe check(pthread_mutex_lock(mutex))
        defer { unsafe check(pthread_mutex_unlock(mutex)) }
        return body()
    }

    /// Under the lock.
    func broadcast() { unsafe check(pthread_cond_broadcast(condition)) }

    /// Under the lock; may return without a broadcast.
    func wait() { unsafe check(pthread_cond_wait(condition, mutex)) }

    /// Under the lock; may return early.
    func wait(until deadline: ContinuousClock.Instant) {
        let left = ContinuousClock.now.duration(to: deadline).components
        guard left.seconds >= 0, left.attoseconds > 0 || left.seconds > 0 else { return }
        var time = timespec(tv_sec: Int(min(left.seconds, 86_400)), tv_nsec: Int(left.attoseconds / 1_000_000_000))
        #if canImport(Darwin)
        unsafe _ = pthread_cond_timedwait_relative_np(condition, mutex, &time)
        #else
        var now = timespec()
        unsafe _ = clock_gettime(CLOCK_MONOTONIC, &now)
        time.tv_sec += now.tv_sec + (time.tv_nsec + now.tv_nsec) / 1_000_000_000
        time.tv_nsec = (time.tv_nsec + now.tv_nsec) % 1_000_000_000
        unsafe _ = pthread_cond_timedwait(condition, mutex, &time)
        #endif
    }

    private func check(_ result: Int32) {
        precondition(result == 0, "a lock of the system failed: error \(result)")
    }
}
