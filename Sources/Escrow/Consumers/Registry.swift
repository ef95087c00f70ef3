import Foundation

/// A handler with its event type erased.
struct EventHandler: Sendable {
    var tag: String
    var topic: String
    var policy: RetryPolicy
    /// Decodes a body. Throws for bytes that are no such event.
    var prepare: @Sendable (Data) throws -> PreparedEvent
}

/// A decoded event, ready to be handled.
struct PreparedEvent: Sendable {
    var idempotencyKey: String
    var orderingKey: String?
    var run: @Sendable (Transaction) throws -> Outcome
}

struct DeadlineHandler: Sendable {
    var policy: RetryPolicy
    var run: @Sendable (DueDeadline, Transaction) throws -> Outcome
}

/// What a service has registered. Refuses a second handler for the same thing, and everything after the start.
struct Registry: Sendable {
    /// By consumer, then by topic and tag.
    private(set) var consumers: [String: [EventAddress: EventHandler]] = [:]
    private(set) var deadlines: [String: DeadlineHandler] = [:]
    private(set) var deadlineNames: Set<String> = []
    private(set) var checkers: [String: TransactionChecker] = [:]
    private var isClosed = false
    private let names: ServiceNames

    init(_ names: ServiceNames) {
        self.names = names
    }

    mutating func add(_ handler: EventHandler, to consumer: String) throws(EscrowError) {
        try checkOpen()
        try names.check(consumer: consumer)
        try ServiceNames.check(topic: handler.topic, of: handler.tag)
        guard EventName.isPossible(handler.tag) else {
            throw EscrowError(.invalidName, "The event's name \"\(handler.tag)\" needs \(EventName.rule).")
        }
        let address = EventAddress(topic: handler.topic, tag: handler.tag)
        guard consumers[consumer, default: [:]].updateValue(handler, forKey: address) == nil else {
            throw EscrowError(
                .registeredTwice, "The consumer \"\(consumer)\" has a handler for \(handler.tag) already.")
        }
    }

    mutating func add(_ handler: DeadlineHandler, named name: String) throws(EscrowError) {
        try checkOpen()
        try Name.check(name, "deadline")
        try names.checkDeadlines()
        guard deadlines.updateValue(handler, forKey: name) == nil else {
            throw EscrowError(.registeredTwice, "There is a handler for deadlines named \"\(name)\" already.")
        }
        deadlineNames.insert(name)
    }

    mutating func add(_ checker: @escaping TransactionChecker, for kind: String) throws(EscrowError) {
        try checkOpen()
        try Name.check(kind, "transaction kind")
        guard kind != TransactionKind.fenced else {
            throw EscrowError(.invalidName, "The transaction kind \"\(kind)\" belongs to Escrow: choose another name.")
        }
        guard checkers.updateValue(checker, forKey: kind) == nil else {
            throw EscrowError(.registeredTwice, "There is a checker for transactions of kind \"\(kind)\" already.")
        }
    }

    /// The service runs: nothing can be registered from here on.
    ///
    /// - Throws: ``EscrowError/Code/runTwice``: whoever waits for its messages was told that it has stopped.
    mutating func close() throws(EscrowError) {
        if isClosed {
            throw EscrowError(.runTwice, "A service runs once: make a new Escrow on the same database.")
        }
        isClosed = true
    }

    private func checkOpen() throws(EscrowError) {
        if isClosed {
            throw EscrowError(.registeredTooLate, "The service runs: register every handler before run().")
        }
    }
}

struct EventAddress: Sendable, Hashable {
    var topic: String
    var tag: String
}

/// Names become parts of topics and groups.
enum Name {
    static func check(_ name: String, _ what: String) throws(EscrowError) {
        let isValid =
            (1...64).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x5F: true
                default: false
                }
            }
        guard isValid else {
            throw EscrowError(
                .invalidName, "The \(what) \"\(name)\" needs 1 to 64 letters, digits, hyphens or underscores.")
        }
    }
}
