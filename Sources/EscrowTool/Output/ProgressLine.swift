import Foundation
import ShopFlow
import Synchronization

/// One line on a terminal that shows how far a run is; in a pipe nothing but why it waits.
final class ProgressLine: Sendable {
    private let isTerminal = isatty(FileHandle.standardError.fileDescriptor) == 1
    private let state = Mutex((shown: ContinuousClock.Instant?.none, text: ""))

    private static let interval = Duration.milliseconds(50)
    private static let cells = 30

    func show(_ progress: FlowProgress) {
        switch progress {
        case .waiting, .goingOn: return announce(Self.text(progress))
        default: break
        }
        guard isTerminal else { return }
        let text = Self.text(progress)
        let isDue = state.withLock { state in
            let now = ContinuousClock.now
            guard state.text != text, state.shown.map({ $0.duration(to: now) > Self.interval }) ?? true else {
                return false
            }
            state = (now, text)
            return true
        }
        if isDue { write("\r\u{1B}[K\(text)") }
    }

    /// A line that stays.
    private func announce(_ text: String) {
        clear()
        Console.complain(text)
        state.withLock { $0 = (nil, "") }
    }

    func clear() {
        if isTerminal { write("\r\u{1B}[K") }
    }

    private static func text(_ progress: FlowProgress) -> String {
        switch progress {
        case .starting: return "Opening the shop"
        case .selling(let done, let all):
            let cells = all > 0 ? done * Self.cells / all : Self.cells
            let bar = String(repeating: "█", count: cells) + String(repeating: "░", count: Self.cells - cells)
            return "Selling   \(bar)  \(done) of \(all)"
        case .settling(let open): return "Settling  \(open) still open"
        case .waiting(let cause): return cause
        case .goingOn: return "it goes on"
        case .checking: return "Checking that nothing is lost, doubled or forgotten"
        }
    }

    private func write(_ text: String) {
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
    }
}
