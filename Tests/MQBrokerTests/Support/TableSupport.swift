import Logging
import MQProtocol
import MQStore
import NIOCore
import NIOPosix

@testable import MQBroker

/// A disk and a clock for the tables, without a broker.
struct TableSupport {
    let device = SimulatedDevice(seed: 1)
    let clock = ManualClock(start: Timestamp(milliseconds: 1_795_226_077_556))
    var logger = Logger(label: "tables", factory: { _ in SwiftLogNoOpLogHandler() })
    var eventLoop: any EventLoop { MultiThreadedEventLoopGroup.singleton.next() }

    func file(_ name: String) -> SideFile {
        SideFile(device: device, path: "store/config/\(name)", logger: logger)
    }

    func contents(_ name: String) throws -> String? {
        try device.contents(of: "store/config/\(name)").map { String(buffer: $0) }
    }

    func put(_ text: String, in name: String) throws {
        try file(name).save(ByteBuffer(string: text))
    }

    func topics(_ settings: BrokerSettings) throws -> TopicTable {
        try TopicTable.load(
            from: file("topics.json"), settings: settings, time: .manual(clock), logger: logger,
            makeQueue: { QueueRef(topic: $0, queueID: $1, index: Int($1)) }
        )
    }

    func groups(_ settings: BrokerSettings) throws -> GroupTable {
        try GroupTable.load(
            from: file("subscriptionGroup.json"), settings: settings, time: .manual(clock), logger: logger
        )
    }

    func offsets(_ settings: BrokerSettings = BrokerSettings(BrokerConfiguration())) throws -> OffsetTable {
        try OffsetTable.load(
            from: file("consumerOffset.json"), settings: settings, time: .manual(clock), logger: logger
        )
    }

    /// A broker on the disk and the clock, without sockets and loops.
    func broker(_ change: (inout BrokerConfiguration) -> Void = { _ in }) throws -> Broker {
        var configuration = BrokerConfiguration()
        configuration.storage.directory = "store"
        configuration.storage.segmentBytes = 1 << 20
        configuration.storage.queueSegmentBytes = 20_000
        configuration.storage.indexSlots = 100
        configuration.storage.indexEntries = 400
        change(&configuration)
        return try Broker.open(
            configuration, advertisedHost: HostAddress(ip: .v4(0x7F00_0001), port: 1), device: device,
            time: .manual(clock), logger: logger
        )
    }

    /// The power goes and comes back: the broker writes nothing more, and its threads end.
    func crash(_ broker: Broker) {
        device.cutPower(after: 0)
        try? broker.close()
        device.crash()
    }

    /// Stores a message that waits for its delivery into topic T.
    func putWaiting(
        _ body: String, in topic: String, queueID: Int32 = 0, _ properties: String, broker: Broker
    ) throws {
        var batch = broker.store.makeBatch()
        let place = "REAL_TOPIC\u{1}T\u{2}REAL_QID\u{1}0\u{2}"
        let draft = MessageDraft(
            topic: topic, queueID: queueID, bornTimestamp: clock.now(), bornHost: broker.advertisedHost,
            storeHost: broker.advertisedHost, body: ByteBuffer(string: body),
            properties: ByteBuffer(string: place + properties)
        )
        try batch.add(draft, to: broker.store.queue(topic, queueID))
        try broker.store.append(&batch)
        broker.store.dispatchPending()
    }
}
