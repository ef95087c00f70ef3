import Foundation
import Synchronization

/// Ends the process as a power switch would, the COUNT-th time a place is reached.
final class Crash: Sendable {
    private let place: String
    private let left: Mutex<Int>

    init(_ arguments: [String]) {
        place = arguments.first ?? ""
        left = Mutex(arguments.count > 1 ? Int(arguments[1]) ?? 1 : 1)
    }

    func reached(_ place: String) {
        guard place == self.place else { return }
        let isTime = left.withLock { left in
            left -= 1
            return left == 0
        }
        if isTime { raise(SIGKILL) }
    }
}
