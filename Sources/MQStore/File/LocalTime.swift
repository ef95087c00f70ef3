import MQProtocol

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// The machine's time zone, which `deletionHours` refers to.
enum LocalTime {
    /// 0...23.
    static func hour(of time: Timestamp) -> Int {
        var seconds = time_t(time.milliseconds / 1000)
        var parts = unsafe tm()
        guard unsafe localtime_r(&seconds, &parts) != nil else { return Int(seconds / 3600 % 24) }
        return unsafe Int(parts.tm_hour)
    }
}
