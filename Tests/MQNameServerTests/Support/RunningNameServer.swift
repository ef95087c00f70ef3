import Foundation
import Logging
import MQProtocol
import MQRemoting
import NIOCore
import NIOPosix

@testable import MQNameServer

/// A name server on a free loopback port with a manual clock, and a client of it.
struct RunningNameServer {
    let address: String
    let clock: ManualClock
    let client: RemotingClient

    private static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    static func with(
        _ change: (inout NameServerConfiguration) -> Void = { _ in },
        _ body: (RunningNameServer) async throws -> Void
    ) async throws {
        let directory = NSTemporaryDirectory() + "escrow-names-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: directory) }
        var configuration = NameServerConfiguration()
        configuration.server.port = 0
        configuration.keyValueFile = directory + "/kvConfig.json"
        configuration.drainTimeout = .zero
        change(&configuration)
        let clock = ManualClock(start: Timestamp(milliseconds: 1_795_000_000_000))
        let server = try NameServer(configuration, group: .singleton, logger: quiet, time: .manual(clock))
        let address = try await server.start()
        let client = RemotingClient(group: .singleton, logger: quiet)
        let running = RunningNameServer(address: address, clock: clock, client: client)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            try await body(running)
            await client.shutdown()
            group.cancelAll()
            try await group.waitForAll()
        }
    }

    func ask(
        _ code: RequestCode,
        _ fields: [(String, String)] = [],
        body: String? = nil
    ) async throws -> Frame {
        try await client.request(
            to: address,
            code,
            body: body.map { ByteBuffer(string: $0) },
            extra: fields,
            timeout: .seconds(20)
        )
    }

    func register(
        broker: String = "broker-a",
        address brokerAddress: String = "127.0.0.2:20911",
        id: Int = 0,
        topics: [String] = ["T1"],
        counter: Int = 1
    ) async throws -> Frame {
        let configurations = topics.map { name in
            "\"\(name)\":{\"order\":false,\"perm\":6,\"readQueueNums\":4,\"topicFilterType\":\"SINGLE_TAG\","
                + "\"topicName\":\"\(name)\",\"topicSysFlag\":0,\"writeQueueNums\":4}"
        }
        let body =
            "{\"filterServerList\":[],\"topicConfigSerializeWrapper\":{\"dataVersion\":{\"counter\":\(counter),"
            + "\"timestamp\":7},\"topicConfigTable\":{\(configurations.joined(separator: ","))}}}"
        let fields = [
            ("brokerName", broker), ("brokerAddr", brokerAddress), ("clusterName", "C1"),
            ("haServerAddr", "ha-of-\(brokerAddress)"), ("brokerId", "\(id)"), ("bodyCrc32", "0"),
        ]
        return try await ask(.registerBroker, fields, body: body)
    }
}
