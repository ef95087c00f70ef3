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
    let logger = Logger(label: "tables", factory: { _ in SwiftLogNoOpLogHandler() })
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
}
