#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// The operating system's files.
package struct FileDevice: StorageDevice {
    package init() {}

    package func open(_ path: String, _ mode: OpenMode) throws(StoreError) -> any StorageFile {
        let flags: Int32 =
            switch mode {
            case .readOnly: O_RDONLY
            case .readWrite: O_RDWR
            case .create: O_RDWR | O_CREAT
            case .truncate: O_RDWR | O_CREAT | O_TRUNC
            }
        let descriptor = try call("open", path) { openDescriptor(path, flags | O_CLOEXEC, 0o644) }
        return PosixFile(path: path, descriptor: descriptor)
    }

    package func rename(_ old: String, to new: String) throws(StoreError) {
        try call("rename to \(new) the file", old) { renameFile(old, new) }
    }

    package func remove(_ path: String) throws(StoreError) {
        do throws(StoreError) {
            try call("remove", path) { removeFile(path) }
        } catch  where error.code == .notFound {
            return
        }
    }

    package func createDirectory(_ path: String) throws(StoreError) {
        if let entry = try entry(path) {
            guard entry.isDirectory else { throw .system(ENOTDIR, "create the directory", path) }
            return
        }
        let parent = Self.parent(of: path)
        if parent != path { try createDirectory(parent) }
        do throws(StoreError) {
            try call("create the directory", path) { unsafe mkdir(path, 0o755) }
        } catch  where error.errorNumber == EEXIST {
            return
        }
        try syncDirectory(parent)
    }

    package func list(_ directory: String) throws(StoreError) -> [DirectoryEntry]? {
        guard let names = try names(in: directory) else { return nil }
        var entries: [DirectoryEntry] = []
        for name in names.sorted() {
            // A file removed since the names were read is left out.
            if let entry = try entry("\(directory)/\(name)", name: name) { entries.append(entry) }
        }
        return entries
    }

    private func names(in directory: String) throws(StoreError) -> [String]? {
        guard let stream = unsafe opendir(directory) else {
            if errno == ENOENT { return nil }
            throw .system(errno, "list", directory)
        }
        defer { unsafe _ = closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    package func entry(_ path: String) throws(StoreError) -> DirectoryEntry? {
        try entry(path, name: path.split(separator: "/").last.map(String.init) ?? path)
    }

    private func entry(_ path: String, name: String) throws(StoreError) -> DirectoryEntry? {
        var status = stat()
        do throws(StoreError) {
            try call("examine", path) { unsafe stat(path, &status) }
        } catch  where error.code == .notFound {
            return nil
        }
        #if canImport(Darwin)
        let modified = status.st_mtimespec
        #else
        let modified = status.st_mtim
        #endif
        return DirectoryEntry(
            name: name,
            isDirectory: status.st_mode & S_IFMT == S_IFDIR,
            length: Int(status.st_size),
            modified: Int64(modified.tv_sec) * 1000 + Int64(modified.tv_nsec) / 1_000_000
        )
    }

    package func syncDirectory(_ path: String) throws(StoreError) {
        let descriptor = try call("open the directory", path) {
            openDescriptor(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        }
        defer { close(descriptor) }
        #if canImport(Darwin)
        try call("flush the directory", path) { fcntl(descriptor, F_FULLFSYNC) }
        #else
        try call("flush the directory", path) { fsync(descriptor) }
        #endif
    }

    package func space(at path: String) throws(StoreError) -> DiskSpace {
        var status = statvfs()
        try call("read the free space of", path) { unsafe statvfs(path, &status) }
        let block = Int(status.f_frsize)
        return DiskSpace(
            total: Int(status.f_blocks) * block,
            available: Int(status.f_bavail) * block,
            free: Int(status.f_bfree) * block
        )
    }

    package func lock(_ path: String) throws(StoreError) -> any FileLock {
        let descriptor = try call("open", path) { openDescriptor(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644) }
        return try PosixLock(path: path, descriptor: descriptor)
    }

    /// The lock that a Java broker takes, for tests that play one.
    func lockAsProcess(_ path: String) throws(StoreError) -> any FileLock {
        let descriptor = try call("open", path) { openDescriptor(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644) }
        return try PosixLock(path: path, descriptor: descriptor, owner: .process)
    }

    static func parent(of path: String) -> String {
        guard let slash = path.dropLast(path.hasSuffix("/") ? 1 : 0).lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}

// `open`, `rename` and `remove` as members would hide the functions of the C library.
private func openDescriptor(_ path: String, _ flags: Int32, _ mode: mode_t) -> Int32 { unsafe open(path, flags, mode) }
private func renameFile(_ old: String, _ new: String) -> Int32 { unsafe rename(old, new) }
private func removeFile(_ path: String) -> Int32 { unsafe remove(path) }
