#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

extension StoreError {
    /// Names a failed system call so that a person can act: what was tried, on which path, why it failed, what helps.
    package static func system(
        _ number: Int32,
        _ operation: String,
        _ path: String,
        fileID: String = #fileID,
        line: Int = #line
    ) -> StoreError {
        let (code, remedy): (Code, String) =
            switch number {
            case ENOSPC, EDQUOT: (.diskFull, "free space on that file system or move the store")
            case EIO, ENXIO: (.inputOutput, "check the disk and the kernel's log")
            case EACCES, EPERM: (.permission, "give this user read and write permission")
            case EROFS: (.permission, "the file system is read-only: check the disk, then mount it writable")
            case ENOENT: (.notFound, "check the configured path")
            case EMFILE, ENFILE: (.system, "raise the limit of open files")
            case ENOMEM: (.system, "free memory, or raise the limit of mapped memory")
            default: (.system, "see the message of the system call")
            }
        let reason = unsafe String(cString: strerror(number))
        return StoreError(
            code,
            "cannot \(operation) \(path): \(reason) (errno \(number)); \(remedy)",
            errorNumber: number,
            fileID: fileID,
            line: line
        )
    }
}

extension StoreError {
    /// Whether the process, or the system, has as many files open as it may.
    var isOutOfDescriptors: Bool { errorNumber == EMFILE || errorNumber == ENFILE }
}

/// What one transfer call achieved.
enum TransferStep {
    case moved(Int)
    case failed(Int32)

    /// The result of a system call that returns a count, or -1 and `errno`.
    init(result: Int) {
        self = result >= 0 ? .moved(result) : .failed(errno)
    }
}

/// The one place where interrupted and short reads and writes are continued.
///
/// - Returns: bytes moved; fewer than `count` only when a step moved nothing (the end of the file).
func transfer(
    _ count: Int,
    _ operation: String,
    _ path: String,
    step: (_ done: Int) -> TransferStep
) throws(StoreError) -> Int {
    var done = 0
    while done < count {
        switch step(done) {
        case .moved(0): return done
        case .moved(let bytes): done += bytes
        case .failed(EINTR): continue
        case .failed(let number): throw .system(number, operation, path)
        }
    }
    return done
}

/// Repeats a call that was interrupted; it answers -1 and `errno` when it fails.
@discardableResult
func call(_ operation: String, _ path: String, _ body: () -> Int32) throws(StoreError) -> Int32 {
    while true {
        let result = body()
        if result >= 0 { return result }
        let number = errno
        if number != EINTR { throw .system(number, operation, path) }
    }
}
