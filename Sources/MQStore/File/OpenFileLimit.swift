#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// How many files and sockets this process may have open at a time.
package enum OpenFileLimit {
    #if canImport(Darwin)
    /// The system refuses more, whatever it says that it allows.
    private static let maximum = UInt64(OPEN_MAX)
    private static let resource = RLIMIT_NOFILE
    #else
    /// Where the system sets no bound, a table for more would be a burden.
    private static let maximum: UInt64 = 1 << 20
    private static let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    #endif

    /// What is in force (`ulimit -n`); 1024 where the system does not say.
    package static var current: Int { Int(min(read().map { UInt64($0.rlim_cur) } ?? 1024, maximum)) }

    /// Raises it to what the system allows (`ulimit -Hn`), at most about a million.
    ///
    /// It holds for the whole process and is inherited by those that it starts: for a program whose process is its own,
    /// at its start. The libraries leave it alone.
    ///
    /// - Returns: what is in force now: where it cannot be raised, what was.
    @discardableResult
    package static func raise() -> Int {
        guard var limit = read() else { return current }
        let wanted = min(UInt64(limit.rlim_max), maximum)
        if UInt64(limit.rlim_cur) < wanted {
            limit.rlim_cur = rlim_t(wanted)
            unsafe _ = setrlimit(resource, &limit)
        }
        return current
    }

    private static func read() -> rlimit? {
        var limit = rlimit()
        return unsafe getrlimit(resource, &limit) == 0 ? limit : nil
    }
}
