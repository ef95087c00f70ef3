import TestSupport

extension FaultKind {
    /// The system call at which the process or the power ends, for the kinds that are aimed.
    func strikeRule(_ generator: inout SeededGenerator) -> FaultControl.Rule? {
        let isBefore = Bool.random(using: &generator)
        let power: FaultControl.Action = isBefore ? .powerBefore : .powerAfter
        func rule(_ operation: FaultControl.Operation, _ path: String, upTo skip: Int) -> FaultControl.Rule {
            FaultControl.Rule(
                operation: operation, action: power, skip: Int.random(in: 0...skip, using: &generator), path: path)
        }
        switch self {
        case .powerAtFlush: return rule(.flush, "/commitlog/", upTo: 40)
        case .powerAtAppend: return rule(.write, "/commitlog/", upTo: 80)
        case .powerAtRoll: return rule(.length, "/commitlog/", upTo: 1)
        case .powerAtCheckpoint:
            let name = ["/checkpoint", "/escrow/position", "/escrow/queues"].randomElement(using: &generator) ?? ""
            let operation: FaultControl.Operation =
                [.write, .flush, .rename].randomElement(using: &generator) ?? .write
            return rule(operation, name, upTo: 0)
        case .powerAtQueue: return rule(Bool.random(using: &generator) ? .write : .length, "/consumequeue/", upTo: 4)
        case .powerAtIndex: return rule(Bool.random(using: &generator) ? .write : .flush, "/index/", upTo: 2)
        case .powerAtTimer:
            let operation: FaultControl.Operation =
                [.write, .flush, .rename].randomElement(using: &generator) ?? .write
            return rule(operation, "/config/timerWatermark.json", upTo: 1)
        case .powerAtOffsets:
            let operation: FaultControl.Operation =
                [.write, .flush, .rename].randomElement(using: &generator) ?? .write
            return rule(operation, "/config/consumerOffset.json", upTo: 2)
        case .powerInRecovery:
            let operation: FaultControl.Operation =
                [.write, .flush, .rename].randomElement(using: &generator) ?? .write
            return rule(operation, "/store/", upTo: 12)
        case .powerInTruncation: return rule(.write, "/commitlog/", upTo: 3)
        case .powerInRetention: return rule(.remove, "/commitlog/", upTo: 2)
        default: return nil
        }
    }
}

extension FaultKind {
    /// What the disk does to a broker that is to live through it.
    func disturbance(_ generator: inout SeededGenerator) -> [FaultControl.Rule] {
        let paths = ["/commitlog/", "/commitlog/", "/consumequeue/", "/config/", "/store/"]
        let path = paths.randomElement(using: &generator) ?? "/store/"
        let skip = Int.random(in: 0...20, using: &generator)
        switch self {
        case .writeErrorOnce: return [.init(operation: .write, action: .inputOutputError, skip: skip, path: path)]
        case .writeErrorForGood: return [.init(operation: .write, action: .inputOutputError, times: nil, path: path)]
        case .flushErrorOnce: return [.init(operation: .flush, action: .inputOutputError, skip: skip, path: path)]
        case .flushErrorForGood: return [.init(operation: .flush, action: .inputOutputError, times: nil, path: path)]
        case .flushErrorDropping:
            return [.init(operation: .flush, action: .errorWithDroppedPages, skip: skip, path: "/commitlog/")]
        case .shortWrites: return [.init(operation: .write, action: .short, times: nil, path: path)]
        case .readOnly:
            return [.write, .length, .rename, .remove].map {
                .init(operation: $0, action: .readOnly, times: nil, path: "/store/")
            }
        default: return []
        }
    }

    /// The broker may refuse writes until it is started again: it cannot know what the disk has.
    var mayNeedRestart: Bool { self == .flushErrorDropping }
}
