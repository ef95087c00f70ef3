package import NIOCore

/// What makes a small file beside the log readable: its owner's parser.
package struct SideFileFormat: Sendable {
    /// Under the store's root.
    package var path: String
    /// Why the owner could not load this; nil when it can.
    package var objection: @Sendable (ByteBuffer) -> String?

    package var seal: TextSeal.Use

    package init(path: String, objection: @escaping @Sendable (ByteBuffer) -> String?) {
        self.path = path
        self.seal = .none
        self.objection = objection
    }

    package init(path: String, seal: TextSeal.Use = .none, parse: @escaping @Sendable (ByteBuffer) throws -> Void) {
        self.path = path
        self.seal = seal
        self.objection = { text in
            do {
                if seal == .binding { try TextSeal.check(text) }
                try parse(text)
                return nil
            } catch {
                return "\(error)"
            }
        }
    }
}

/// Checks a file that is kept with its previous version.
struct SideFileVerifier {
    let device: any StorageDevice
    let root: String
    private(set) var findings: [StoreFinding] = []

    init(device: any StorageDevice, root: String) {
        self.device = device
        self.root = root
    }

    /// - Parameter isDerived: whether the file is made again from the log when it is lost.
    /// - Returns: the newest readable text; nil when there is none.
    mutating func check(_ format: SideFileFormat, isDerived: Bool = false) throws(StoreError) -> ByteBuffer? {
        let path = "\(root)/\(format.path)"
        let main = try read(path, format)
        let backup = try read("\(path).bak", format)
        switch (main, backup) {
        case (.missing, .missing):
            return nil
        case (.good(let text), .missing), (.good(let text), .good):
            return text
        case (.good(let text), .bad(let cause)):
            add(.damage, "\(path).bak", "the previous version cannot be read: \(cause)", .setAside(path: "\(path).bak"))
            return text
        case (.missing, .good(let text)):
            add(.damage, path, "it is missing, and its previous version is there", .restore(path: path))
            return text
        case (.bad(let cause), .good(let text)):
            add(.damage, path, "it cannot be read: \(cause)", .restore(path: path))
            return text
        case (.bad(let cause), .bad(let backupCause)):
            addLost(path, cause, isDerived: isDerived)
            addLost("\(path).bak", backupCause, isDerived: isDerived)
            return nil
        case (.bad(let cause), .missing):
            addLost(path, cause, isDerived: isDerived)
            return nil
        case (.missing, .bad(let cause)):
            addLost("\(path).bak", cause, isDerived: isDerived)
            return nil
        }
    }

    private enum Content {
        case missing
        case good(ByteBuffer)
        case bad(String)
    }

    private mutating func read(_ path: String, _ format: SideFileFormat) throws(StoreError) -> Content {
        let found: ByteBuffer?
        do throws(StoreError) {
            found = try device.contents(of: path)
        } catch  where error.code == .inputOutput {
            return .bad(error.message)
        }
        guard let text = found else { return .missing }
        guard let first = text.getInteger(at: text.readerIndex, as: UInt8.self) else { return .bad("it is empty") }
        if first == 0 { return .bad("it begins with a zero byte: its blocks were lost") }
        if format.seal == .advisory, let mismatch = TextSeal.mismatch(of: text) {
            findings.append(
                StoreFinding(
                    .sideFile, .note, path, "it is used as it is, but was changed or damaged: \(mismatch)",
                    remedy: "compare it with its previous version"))
        }
        return format.objection(text).map { .bad($0) } ?? .good(text)
    }

    private mutating func add(
        _ severity: StoreFinding.Severity, _ path: String, _ cause: String, _ step: RepairStep
    ) {
        findings.append(StoreFinding(.sideFile, severity, path, cause, step: step))
    }

    /// Neither version can be read.
    private mutating func addLost(_ path: String, _ cause: String, isDerived: Bool) {
        guard !isDerived else { return add(.damage, path, "it cannot be read: \(cause)", .setAside(path: path)) }
        findings.append(
            StoreFinding(
                .sideFile, .loss, path, "it cannot be read, nor can another version of it: \(cause)",
                remedy: "put a copy in its place, or delete it and its .bak to begin anew without what it said"))
    }
}
