import Foundation
import MQStore
import Synchronization

/// One line on a terminal that shows how far a store is read; in a pipe, and for a store read at once, nothing.
final class ScanProgressLine: Sendable {
    private let isTerminal = isatty(FileHandle.standardError.fileDescriptor) == 1
    private let state = Mutex((next: ContinuousClock.now.advanced(by: interval), isShown: false))

    private static let interval = Duration.milliseconds(200)
    private static let cells = 30

    func show(_ progress: VerifyProgress) {
        guard isTerminal else { return }
        let isDue = state.withLock { state in
            let now = ContinuousClock.now
            guard now >= state.next else { return false }
            state = (now.advanced(by: Self.interval), true)
            return true
        }
        if isDue { write("\r\u{1B}[K\(Self.text(progress))") }
    }

    func clear() {
        if state.withLock({ $0.isShown }) { write("\r\u{1B}[K") }
    }

    static func text(_ progress: VerifyProgress) -> String {
        let share = progress.total > 0 ? Double(progress.bytes) / Double(progress.total) : 0
        let full = Int(share * Double(cells))
        let bar = String(repeating: "█", count: full) + String(repeating: "░", count: cells - full)
        let mebibytes = (progress.bytes >> 20, progress.total >> 20)
        return "Reading   \(bar)  \(mebibytes.0) of \(mebibytes.1) MiB"
    }

    private func write(_ text: String) {
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
    }
}
