#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The platform's wall clock and calendar: the only calls into the C library's time functions.
package enum PlatformClock {
    package static func now() -> Timestamp {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }

    /// The month of the local time zone that contains `time`, from its first millisecond to that of the next month.
    package static func localMonth(containing time: Timestamp) -> Range<Timestamp> {
        var seconds = time_t(clamping: time.milliseconds / 1000)
        var fields = unsafe tm()
        unsafe localtime_r(&seconds, &fields)
        let (year, month) = unsafe (fields.tm_year, fields.tm_mon)
        let start = firstDay(year: year, month: month)
        let end = firstDay(year: year, month: month + 1)
        return start < end ? start..<end : start..<start
    }

    /// Midnight of a month's first day; `mktime` carries month 12 into the next year and finds out about daylight
    /// saving. The type is "unsafe" for the pointer to the zone's name in it, which is not used.
    private static func firstDay(year: Int32, month: Int32) -> Timestamp {
        var fields = unsafe tm()
        unsafe fields.tm_year = year
        unsafe fields.tm_mon = month
        unsafe fields.tm_mday = 1
        unsafe fields.tm_isdst = -1
        return unsafe Timestamp(milliseconds: Int64(mktime(&fields)) &* 1000)
    }
}
