import Foundation
import MQClient
import NIOCore
import NIOPosix
import ProcessOutput

/// A broker process with a store of its own, listening on loopback, registered nowhere.
struct BrokerUnderTest: Sendable {
    let port: Int
    let probe: ProcessProbe
    /// From the start of the process to the answer to the first send, in seconds.
    let secondsToFirstSend: Double

    var address: String { "127.0.0.1:\(port)" }

    /// Starts a broker on the store in `directory`, waits until it has stored a first message, and ends it when `body`
    /// returns.
    static func with<Value: Sendable>(
        directory: String,
        flush: Cell.Flush,
        generator: LoadGenerator,
        _ body: @Sendable (BrokerUnderTest) async throws -> Value
    ) async throws -> Value {
        let port = try await FreePort.pick()
        let configuration = "\(directory)/broker.conf"
        try properties(directory: directory, port: port, flush: flush)
            .write(toFile: configuration, atomically: true, encoding: .utf8)
        let begun = NIODeadline.now()
        return try await ChildProcess.with("mqbroker", arguments: ["-c", configuration]) { process in
            let seconds = try await firstSend(port: port, since: begun, process: process, generator: generator)
            let broker = BrokerUnderTest(
                port: port, probe: ProcessProbe(processID: process.processID), secondsToFirstSend: seconds)
            try await broker.createTopic(generator: generator)
            return try await body(broker)
        }
    }

    private static func properties(directory: String, port: Int, flush: Cell.Flush) -> String {
        """
        brokerClusterName=BenchCluster
        brokerName=bench
        brokerId=0
        brokerIP1=127.0.0.1
        listenPort=\(port)
        storePathRootDir=\(directory)/store
        storePathCommitLog=\(directory)/store/commitlog
        flushDiskType=\(flush == .sync ? "SYNC_FLUSH" : "ASYNC_FLUSH")

        """
    }

    /// Connects again and again, a millisecond apart, until a message is stored.
    private static func firstSend(
        port: Int, since begun: NIODeadline, process: ChildProcess, generator: LoadGenerator
    ) async throws -> Double {
        let template = BenchTopic.sendTemplate(bodyBytes: 128, encoding: .json)
        let limit = begun + .seconds(60)
        while true {
            do {
                _ = try await generator.run(port: port, connections: 1, inFlight: 1, length: .toTheEnd) { _ in
                    SendWorkload(template: template, messagesPerFrame: 1, queues: 1, limit: 1)
                }
                return Double((NIODeadline.now() - begun).nanoseconds) / 1e9
            } catch {
                guard NIODeadline.now() < limit else {
                    throw BenchError(
                        "mqbroker stored no message within 60 s (\(error)). It said: \(process.log.tail())")
                }
                if process.log.isFinished {
                    throw BenchError("mqbroker ended instead of serving. It said: \(process.log.tail())")
                }
                try await Task.sleep(for: .milliseconds(1))
            }
        }
    }

    private func createTopic(generator: LoadGenerator) async throws {
        let client = MQClient(MQClientConfiguration(nameServers: nil))
        let topic = TopicConfiguration(
            name: BenchTopic.name, readQueues: Int32(BenchTopic.queues), writeQueues: Int32(BenchTopic.queues))
        do {
            try await client.createTopic(topic, onBroker: address)
            await client.shutdown()
        } catch {
            await client.shutdown()
            throw error
        }
    }
}
