import MQProtocol
import MQRemoting
import MQStore
import NIOCore

/// What the requests of one turn of an event loop leave to its end: records to append, and what they answer.
///
/// One value, so that a request which stages something is one access to its loop's memory, not one for each member.
struct TurnWork {
    let broker: Broker
    let eventLoop: any EventLoop
    /// The configuration of this turn.
    var settings: BrokerSettings.Snapshot
    var batch: AppendBatch
    /// What the staged records answer, in their order.
    var staged: [StagedReply] = []
    var topics = TopicLookup()
    /// The buffer in which the properties of the message at hand are put together.
    var properties = ByteBuffer()
    /// The body of the op record at hand.
    private var opBody = ByteBuffer()

    init(broker: Broker, eventLoop: any EventLoop) {
        self.broker = broker
        self.eventLoop = eventLoop
        settings = broker.settings.current
        batch = broker.store.makeBatch()
    }

    /// Adds a record to this turn's append; a message the log cannot take is the sender's mistake alone.
    ///
    /// - Parameter isStoredAgain: whether the message was accepted before (``AppendBatch/add(_:to:isStoredAgain:)``).
    mutating func stage(
        _ draft: borrowing MessageDraft, to queue: QueueRef, isStoredAgain: Bool = false
    ) throws(RequestError) -> Int {
        // Asked for the first record only: the append of them all asks again.
        if staged.isEmpty, let refusal = broker.store.refusal { throw BrokerLoop.refusal(refusal) }
        do {
            return try batch.add(draft, to: queue, isStoredAgain: isStoredAgain)
        } catch {
            throw BrokerLoop.refusal(error)
        }
    }

    /// Adds the record that ends a half message.
    mutating func stageOp(_ half: HalfMessage, _ verdict: Verdict) throws(RequestError) -> Int {
        let op = HalfRecord.op(
            half, verdict: verdict, host: broker.advertisedHost, now: broker.time.now(), body: &opBody)
        return try stage(op, to: broker.transactions.opQueue)
    }
}

extension Broker {
    /// What the acknowledgement of a message waits for when its topic was just created: the topic on disk, or a power
    /// loss could leave messages that nobody can pull.
    func saving(of topic: Topic, on eventLoop: any EventLoop) -> EventLoopFuture<Void>? {
        topics.saving(of: topic, on: eventLoop)
    }
}
