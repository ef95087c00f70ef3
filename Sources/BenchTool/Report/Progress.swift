import Foundation

/// One line on a terminal that says what is being measured; nothing at all in a pipe.
struct Progress: Sendable {
    private let isTerminal: Bool

    init() {
        isTerminal = isatty(FileHandle.standardError.fileDescriptor) == 1
    }

    func show(_ text: String) {
        write("\r\u{1B}[K\(text) ...")
    }

    func clear() {
        write("\r\u{1B}[K")
    }

    private func write(_ text: String) {
        guard isTerminal else { return }
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
    }
}
