#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// The memory of this machine.
public enum PhysicalMemory {
    /// 8 GiB where the system does not say.
    public static let bytes: Int = {
        let pages = sysconf(Int32(_SC_PHYS_PAGES))
        let pageBytes = sysconf(Int32(_SC_PAGESIZE))
        return pages > 0 && pageBytes > 0 ? pages * pageBytes : 8 << 30
    }()
}
