import Logging
import MQProtocol
import MQRemoting
import NIOCore
import Synchronization
import Testing

@testable import MQClient

/// One queue of topic T at a broker that is its own name server.
final class StubScript: Sendable {
    private struct State {
        var pulls: [StubServer.Answer]
        var answers: [RequestCode: [StubServer.Answer]]
        var address = ""
        var slave: String?
    }

    private let state: Mutex<State>

    /// - Parameters:
    ///   - pulls: of topic T, one after the other; then the broker refuses.
    ///   - answers: by code, one after the other; the last one stays.
    init(pulls: [StubServer.Answer], answers: [RequestCode: [StubServer.Answer]] = [:]) {
        state = Mutex(State(pulls: pulls, answers: answers))
    }

    func answer(_ request: Frame) -> StubServer.Answer {
        let scripted = state.withLock { state -> StubServer.Answer? in
            if request.requestCode == .pullMessage, request.fields.string("topic") == "T" {
                return state.pulls.isEmpty ? nil : state.pulls.removeFirst()
            }
            guard let list = state.answers[request.requestCode], let first = list.first else { return nil }
            if list.count > 1 { state.answers[request.requestCode]?.removeFirst() }
            return first
        }
        return scripted ?? standard(request)
    }

    func add(pull: StubServer.Answer) {
        state.withLock { $0.pulls.append(pull) }
    }

    func serve(at address: String) {
        state.withLock { $0.address = address }
    }

    /// The broker has a slave there.
    func serve(slave address: String) {
        state.withLock { $0.slave = address }
    }

    private func standard(_ request: Frame) -> StubServer.Answer {
        switch request.requestCode {
        case .getRouteInfoByTopic:
            let (address, slave) = state.withLock { ($0.address, $0.slave) }
            var addresses: [Int64: String] = [0: address]
            addresses[1] = slave
            let route = TopicRouteData(
                queueDatas: [QueueData(brokerName: "a", readQueueNums: 1, writeQueueNums: 1, perm: 6)],
                brokerDatas: [BrokerData(cluster: "C", brokerName: "a", brokerAddrs: addresses)])
            return StubServer.Answer(body: route.encodeStandard())
        case .getConsumerListByGroup:
            return StubServer.Answer(body: ConsumerIDList(consumerIDs: ["me"]).encode())
        case .queryConsumerOffset:
            return StubServer.Answer(fields: [("offset", "0")])
        case .lockBatchMQ:
            let asked = try? LockBatchBody.decode(request.body)
            return StubServer.Answer(body: LockBatchAnswer(queues: asked?.queues ?? []).encode())
        case .pullMessage:
            return StubServer.Answer(code: .systemError, remark: "nothing more in the script")
        case .sendMessageV2:
            return StubServer.Answer(
                fields: [
                    ("msgId", "7F00000100002A9F0000000000000010"), ("queueId", "0"), ("queueOffset", "7"),
                ])
        default:
            return StubServer.Answer()
        }
    }

    /// Runs a consumer of the queue beside `body`.
    func run(
        _ change: (inout ConsumerConfiguration) -> Void = { _ in }, time: TimeSource = .system,
        outcome: @escaping @Sendable (ReceivedMessage) async -> ConsumeOutcome,
        _ body: (StubServer, Deliveries, PushConsumer) async throws -> Void
    ) async throws {
        try await StubServer.with(answer: { self.answer($0) }) { server in
            serve(at: server.address)
            var configuration = MQClientConfiguration(nameServers: try NameServerAddresses(server.address))
            configuration.clientID = "me"
            configuration.logger = LiveCluster.quiet
            configuration.time = time
            let client = MQClient(configuration)
            var settings = ConsumerConfiguration(group: "g")
            settings.subscriptions = ["T": "*"]
            change(&settings)
            let deliveries = Deliveries()
            let consumer = try PushConsumer(client, settings) { messages, queue in
                deliveries.add(messages, queue)
                var outcomes: [ConsumeOutcome] = []
                for message in messages { outcomes.append(await outcome(message)) }
                return outcomes
            }
            let live = LiveConsumer(consumer, of: client)
            try await body(server, deliveries, consumer)
            try await live.stop()
        }
    }
}

/// Answers to pulls of topic T.
enum StubAnswer {
    static func found(
        _ offsets: [Int64], next: Int64, properties: MessageProperties = [:], reconsumeTimes: Int32 = 0,
        stored: Int64 = 0, flags: [Int64: SysFlag] = [:]
    ) throws -> StubServer.Answer {
        var body = ByteBuffer()
        for offset in offsets {
            let draft = MessageDraft(
                topic: "T", queueID: 0, sysFlag: flags[offset] ?? [], bornTimestamp: Timestamp(milliseconds: 1),
                bornHost: HostAddress(ip: .v4(1), port: 1), storeHost: HostAddress(ip: .v4(1), port: 2),
                reconsumeTimes: reconsumeTimes, body: ByteBuffer(string: "\(offset)"),
                properties: properties.encode())
            let start = body.writerIndex
            _ = try body.writeRecord(draft)
            body.setInteger(offset, at: start + RecordLayout.queueOffset)
            body.setInteger(offset * 1000, at: start + RecordLayout.physicalOffset)
            body.setInteger(stored, at: start + RecordLayout.storeTimestamp([]))
        }
        return pull(.success, next: next, body: body)
    }

    static func pull(
        _ code: ResponseCode, next: Int64, minimum: Int64 = 0, maximum: Int64 = 100, body: ByteBuffer? = nil
    ) -> StubServer.Answer {
        StubServer.Answer(
            code: code,
            fields: [
                ("suggestWhichBrokerId", "0"), ("nextBeginOffset", "\(next)"), ("minOffset", "\(minimum)"),
                ("maxOffset", "\(maximum)"),
            ], body: body)
    }
}
