import Foundation
import Synchronization

/// One line on a terminal that shows how far long work is; in a pipe nothing but what is announced.
final class ProgressLine: Sendable {
    private let isTerminal = isatty(FileHandle.standardError.fileDescriptor) == 1
    private let interval: Duration
    /// When the line may change again, and what it shows: nothing when that is empty.
    private let state: Mutex<(next: ContinuousClock.Instant, text: String)>

    private static let cells = 30

    /// - Parameters:
    ///   - interval: in which the line changes once at most.
    ///   - delay: work that ends before shows nothing.
    init(interval: Duration, after delay: Duration = .zero) {
        self.interval = interval
        state = Mutex((ContinuousClock.now.advanced(by: delay), ""))
    }

    func show(_ text: @autoclosure () -> String) {
        guard isTerminal else { return }
        let shown = state.withLock { state -> String? in
            let now = ContinuousClock.now
            guard now >= state.next else { return nil }
            let text = text()
            guard text != state.text else { return nil }
            state = (now.advanced(by: interval), text)
            return text
        }
        if let shown { write("\r\u{1B}[K\(shown)") }
    }

    /// A line that stays.
    func announce(_ text: String) {
        clear()
        Console.complain(text)
    }

    func clear() {
        let wasShown = state.withLock { state in
            let wasShown = !state.text.isEmpty
            if wasShown { state = (.now, "") }
            return wasShown
        }
        if wasShown { write("\r\u{1B}[K") }
    }

    /// - Parameter all: may turn out to be less than what is done, where it is an estimate.
    static func bar(_ done: Int, of all: Int) -> String {
        let full = all > done ? max(0, done) * cells / all : cells
        return String(repeating: "█", count: full) + String(repeating: "░", count: cells - full)
    }

    private func write(_ text: String) {
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
    }
}
