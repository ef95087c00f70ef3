/// What must hold whatever happens to the broker.
enum Invariant: String, Sendable, CaseIterable {
    case lost = "I1 an acknowledged message is lost"
    case altered = "I2 a message is altered or was never sent"
    case torn = "I3 an unacknowledged message is half there, or came back"
    case offsets = "I4 queue offsets are not dense, unique and rising"
    case order = "I5 messages of one sender are out of order"
    case duplicate = "I6 a message is there twice outside of a documented window"
    case transaction = "I7 a transaction's message is not what its verdict says"
    case delay = "I8 a delayed message is early, lost or stuck"
    case delivery = "I9 a message is kept from its group, tried too often, or not one dead letter"
    case effect = "I10 a message has its effect twice, or not at all"
    case consumerOffset = "I11 a consumer's offset is ahead of what it consumed, or fell back"
    case recovery = "I12 a second start of the same files gives something else"
    case liveness = "I13 the broker does not go on after the fault"
    case resources = "I14 the broker keeps descriptors, threads or memory"
    case index = "I17 the index does not find an acknowledged message by its key"
    case corruption = "I16 damage is not reported"
}

struct Violation: Error, Hashable, CustomStringConvertible {
    var invariant: Invariant
    var text: String

    init(_ invariant: Invariant, _ text: String) {
        self.invariant = invariant
        self.text = text
    }

    var description: String { "\(invariant.rawValue): \(text)" }
}
