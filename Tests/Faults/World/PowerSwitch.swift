#if canImport(Glibc)
import Glibc
#endif

/// Ends all writing of a mounted ext4 at once, without its journal, as a power loss does.
enum PowerSwitch {
    /// EXT4_IOC_SHUTDOWN.
    private static let shutdownRequest: UInt = 0x8004_587D
    /// EXT4_GOING_FLAGS_NOLOGFLUSH.
    private static let withoutJournal: UInt32 = 2

    /// - Returns: whether the file system went down; false when it is no ext4, or this is not root.
    static func cut(_ mountPoint: String) -> Bool {
        #if canImport(Glibc)
        let descriptor = unsafe open(mountPoint, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var flag = withoutJournal
        return unsafe ioctl(descriptor, shutdownRequest, &flag) == 0
        #else
        return false
        #endif
    }
}
