import MQProtocol
import MQRemoting
import NIOCore

/// The check-backs that a producer's connection receives.
struct CheckBacks: Sendable {
    private let stream: AsyncStream<Half>
    private let continuation: AsyncStream<Half>.Continuation

    init() {
        (stream, continuation) = AsyncStream.makeStream()
    }

    /// To be given to the client as its handler of requests.
    func receive(_ frame: Frame, _ connection: Connection) {
        guard frame.requestCode == .checkTransactionState,
            let messages = try? StoredMessage.list(from: frame.body), let message = messages.first,
            let number = Payload.number(in: message.body),
            let queueOffset = frame.fields.int64("tranStateTableOffset"),
            let logOffset = frame.fields.int64("commitLogOffset")
        else { return }
        continuation.yield(Half(number: number, queueOffset: queueOffset, logOffset: logOffset))
    }

    /// Hands over check-backs until `body` has seen enough.
    func forEach(_ body: (Half) async throws -> Bool) async throws {
        for await half in stream {
            guard try await body(half) else { return }
        }
    }
}

extension RawClient {
    /// Announces this connection as one of the producer group.
    func announceProducer() async throws {
        let producers = #"[{"groupName":"\#(Half.producerGroup)"}]"#
        let text = #"{"clientID":"127.0.0.1@test","consumerDataSet":[],"producerDataSet":\#(producers)}"#
        try await require(.heartbeat, body: ByteBuffer(string: text))
    }
}
