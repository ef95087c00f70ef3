import NIOCore

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Small files that are replaced as a whole. Everything here blocks.
enum LocalFile {
    /// The home directory; `.` when the environment does not say.
    static var home: String {
        unsafe getenv("HOME").map { unsafe String(cString: $0) } ?? "."
    }

    /// Nil when there is no such file.
    static func read(_ path: String) throws(MQClientError) -> ByteBuffer? {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            if errno == ENOENT { return nil }
            throw failure("open", path)
        }
        defer { close(file) }
        var content = ByteBuffer()
        while true {
            let count = unsafe content.writeWithUnsafeMutableBytes(minimumWritableBytes: 4096) { bytes in
                unsafe max(0, Self.read(file, into: bytes))
            }
            if count == 0 { return content }
        }
    }

    /// Writes a new file, flushes it, keeps the old one as `.bak` and puts the new one in its place. Makes missing
    /// directories. A crash leaves the old version or the new one, as `path` or as `.bak`.
    static func replace(_ path: String, with content: ByteBuffer) throws(MQClientError) {
        let directory = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
        try makeDirectories(directory)
        try write(content, to: path + ".tmp")
        guard unsafe rename(path, path + ".bak") == 0 || errno == ENOENT else { throw failure("rename", path) }
        guard unsafe rename(path + ".tmp", path) == 0 else { throw failure("rename", path + ".tmp") }
        let folder = unsafe open(directory, O_RDONLY | O_CLOEXEC)
        guard folder >= 0 else { throw failure("open", directory) }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw failure("flush", directory) }
    }

    private static func makeDirectories(_ path: String) throws(MQClientError) {
        var partial = path.hasPrefix("/") ? "/" : ""
        for name in path.split(separator: "/") {
            partial += name + "/"
            guard unsafe mkdir(partial, 0o755) == 0 || errno == EEXIST else { throw failure("create", partial) }
        }
    }

    private static func write(_ content: ByteBuffer, to path: String) throws(MQClientError) {
        let file = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw failure("create", path) }
        defer { close(file) }
        var rest = content
        while rest.readableBytes > 0 {
            let count = unsafe rest.withUnsafeReadableBytes { bytes in
                unsafe Self.write(file, from: bytes)
            }
            guard count > 0 else { throw failure("write", path) }
            rest.moveReaderIndex(forwardBy: count)
        }
        guard fsync(file) == 0 else { throw failure("flush", path) }
    }

    private static func read(_ file: Int32, into bytes: UnsafeMutableRawBufferPointer) -> Int {
        while true {
            let count = unsafe posixRead(file, bytes.baseAddress, bytes.count)
            if count >= 0 || errno != EINTR { return count }
        }
    }

    private static func write(_ file: Int32, from bytes: UnsafeRawBufferPointer) -> Int {
        while true {
            let count = unsafe posixWrite(file, bytes.baseAddress, bytes.count)
            if count >= 0 || errno != EINTR { return count }
        }
    }

    private static func failure(_ action: String, _ path: String) -> MQClientError {
        let reason = unsafe String(cString: strerror(errno))
        return MQClientError(
            .offsetFile, "Cannot \(action) \(path): \(reason). Check offsetDirectory and its permissions.")
    }
}

private let posixRead = unsafe read(_:_:_:)
private let posixWrite = unsafe write(_:_:_:)
