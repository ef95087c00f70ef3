package import MQProtocol

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// The machine's time zone: deletion hours, the names of index files and the days of statistics refer to it.
package enum LocalTime {
    /// The moment at which clocks in UTC show what local clocks show at `time`.
    package static func reading(_ time: Timestamp) -> Timestamp {
        var seconds = time_t(time.milliseconds / 1000)
        var parts = unsafe tm()
        guard unsafe localtime_r(&seconds, &parts) != nil else { return time }
        return unsafe time.advanced(by: .seconds(parts.tm_gmtoff))
    }

    /// 0...23.
    static func hour(of time: Timestamp) -> Int {
        var seconds = time_t(time.milliseconds / 1000)
        var parts = unsafe tm()
        guard unsafe localtime_r(&seconds, &parts) != nil else { return Int(seconds / 3600 % 24) }
        return unsafe Int(parts.tm_hour)
    }

    /// Days since 1970, each from one local midnight to the next.
    package static func day(of time: Timestamp) -> Int64 {
        let reading = reading(time).milliseconds
        return (reading - (reading % 86_400_000 + 86_400_000) % 86_400_000) / 86_400_000
    }
}
