package import Logging
package import NIOCore

/// One small text file (topics, groups, offsets, the broker's configuration), replaced as a whole and atomically.
///
/// Written to a temporary name, flushed, renamed; the directory is flushed. The previous version is kept as `.bak`,
/// which is replaced the same way first, so that one whole file exists at every moment.
package struct SideFile: Sendable {
    package enum Source: Sendable, Hashable { case main, backup, missing }

    package struct Loaded<Value> {
        /// Nil only when neither file exists, or both are empty.
        package var value: Value?
        package var source: Source
    }

    private let device: any StorageDevice
    private let logger: Logger
    package let path: String
    private let seal: TextSeal.Use

    /// - Parameter path: the main file; its directory is created by the first save.
    package init(device: any StorageDevice, path: String, seal: TextSeal.Use = .none, logger: Logger) {
        self.device = device
        self.path = path
        self.seal = seal
        self.logger = logger
    }

    private var backup: String { "\(path).bak" }

    private var directory: String { FileDevice.parent(of: path) }

    /// Durable on return. Saves of one file must not overlap.
    ///
    /// - Throws: the device's error; the file then has its old content, or its new one if only the last flush failed.
    package func save(_ text: ByteBuffer) throws(StoreError) {
        try device.createDirectory(directory)
        let text = seal == .none ? text : TextSeal.seal(text)
        if let old = try device.contents(of: path), isPlausible(old) {
            try replace(backup, with: old)
        } else if seal == .binding, try !device.exists(backup) {
            // One flipped bit in the only version would keep the broker from starting.
            try replace(backup, with: text)
        }
        try replace(path, with: text)
        try device.syncDirectory(directory)
    }

    /// The first of main file and backup that is not empty, whose seal does not tell against it, and that `parse`
    /// accepts.
    ///
    /// Says in the log when the backup had to be used, and why; the backup then becomes the main file, and a damaged
    /// one is kept as `.damaged`: the next save must not make it the backup.
    ///
    /// - Throws: `corrupt` when something is there but nothing parses, with the reason of each file.
    package func load<Value>(_ parse: (ByteBuffer) throws -> Value) throws(StoreError) -> Loaded<Value> {
        var objections: [String] = []
        for (candidate, source) in [(path, Source.main), (backup, .backup)] {
            guard let text = try device.contents(of: candidate) else { continue }
            guard text.readableBytes > 0 else {
                objections.append("\(candidate) is empty")
                continue
            }
            let value: Value
            do {
                if seal == .binding { try TextSeal.check(text) }
                value = try parse(text)
            } catch {
                objections.append("\(candidate) cannot be read: \(error)")
                continue
            }
            if source == .backup { try restore(text, because: objections.first ?? "\(path) is missing") }
            if seal == .advisory, let mismatch = TextSeal.mismatch(of: text) {
                logger.warning("\(candidate) is used as it is, but was changed or damaged: \(mismatch)")
            }
            return Loaded(value: value, source: source)
        }
        guard objections.contains(where: { !$0.hasSuffix(" is empty") }) else {
            return Loaded(value: nil, source: .missing)
        }
        let reasons = objections.joined(separator: "; ")
        throw StoreError(.corrupt, "\(reasons); repair it, restore it from a copy, or delete both files to begin anew")
    }

    /// For what a start can do without: when something is there and nothing parses, it is kept as `.damaged`, the log
    /// says so, and this is nil as if nothing had been there.
    package func loadIfReadable<Value>(_ parse: (ByteBuffer) throws -> Value) throws(StoreError) -> Value? {
        do {
            return try load(parse).value
        } catch {
            guard error.code == .corrupt else { throw error }
            logger.error("\(error.message); the broker begins anew without it")
            for name in [path, backup] where try device.exists(name) { try device.rename(name, to: "\(name).damaged") }
            return nil
        }
    }

    private func restore(_ text: ByteBuffer, because reason: String) throws(StoreError) {
        logger.warning("\(reason); its previous version \(backup) is used instead")
        if try device.exists(path) { try device.rename(path, to: "\(path).damaged") }
        try replace(path, with: text)
        try device.syncDirectory(directory)
    }

    private func replace(_ target: String, with text: ByteBuffer) throws(StoreError) {
        let temporary = "\(target).tmp"
        let file = try device.open(temporary, .truncate)
        try file.write(text, at: 0)
        try file.flush()
        try device.rename(temporary, to: target)
    }

    /// An empty file, one whose blocks were lost and that reads as zeros, or one that was damaged since, must not take
    /// the place of a good backup.
    private func isPlausible(_ text: ByteBuffer) -> Bool {
        if seal != .none, TextSeal.mismatch(of: text) != nil { return false }
        return (text.getInteger(at: text.readerIndex, as: UInt8.self) ?? 0) != 0
    }
}
