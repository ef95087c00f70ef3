import Foundation
import NIOCore
import NIOPosix
import ProcessSupport
import Testing

extension ProcessTests {
    /// Every error names its cause and remedy in one line and has an exit code of its own.
    @Suite("Errors at the start")
    struct StartUpErrorTests {
        @Test("Wrong options are 2", arguments: ["mqbroker", "mqnamesrv"])
        func wrongOption(server: String) async throws {
            let completed = try await CompletedProcess.run(server, ["--no-such-option"])
            #expect(completed.exit == .code(2))
            #expect(completed.errors.joined().contains("--no-such-option"))
        }

        @Test("A missing configuration file is 64", arguments: ["mqbroker", "mqnamesrv"])
        func missingFile(server: String) async throws {
            let completed = try await CompletedProcess.run(server, ["-c", "/nowhere/at-all.properties"])
            completed.expectFailure(code: 64, mentioning: ["/nowhere/at-all.properties"])
        }

        @Test(
            "A value that cannot be used is 64",
            arguments: [
                ("mqbroker", "listenPort", "many"), ("mqbroker", "listenPort", "70000"),
                ("mqbroker", "flushDiskType", "SOMETIMES"), ("mqbroker", "brokerRole", "KING"),
                ("mqbroker", "namesrvAddr", "nonsense"), ("mqbroker", "mappedFileSizeCommitLog", "-5"),
                ("mqbroker", "messageDelayLevel", "1x 2y"), ("mqnamesrv", "listenPort", "many"),
            ])
        func badValue(server: String, key: String, value: String) async throws {
            try await TemporaryDirectory.with { directory in
                let file = directory + "/server.properties"
                let store = server == "mqbroker" ? "storePathRootDir=\(directory)/store\n" : ""
                try "\(store)\(key)=\(value)\n"
                    .write(toFile: file, atomically: true, encoding: .utf8)
                let completed = try await CompletedProcess.run(server, ["-c", file])
                completed.expectFailure(code: 64, mentioning: [key, value])
            }
        }

        @Test("A port in use is 65", arguments: ["mqbroker", "mqnamesrv"])
        func portInUse(server: String) async throws {
            let port = try await FreePorts.next()
            let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .bind(host: "127.0.0.1", port: port).get()
            try await TemporaryDirectory.with { directory in
                let file = directory + "/server.properties"
                let store = server == "mqbroker" ? "storePathRootDir=\(directory)/store\n" : ""
                try "listenPort=\(port)\n\(store)".write(toFile: file, atomically: true, encoding: .utf8)
                let completed = try await CompletedProcess.run(server, ["-c", file])
                completed.expectFailure(code: 65, mentioning: ["\(port)", "listenPort"])
            }
            try await listener.close().get()
        }

        @Test("A store in use is 66, and its broker goes on")
        func lockedStore() async throws {
            try await TemporaryDirectory.with { directory in
                let options = StoreSettings.options(store: directory + "/store")
                _ = try await BrokerProcess.run(options) { broker in
                    let file = try BrokerProcess.writeProperties(options, port: try await FreePorts.next())
                    let completed = try await CompletedProcess.run("mqbroker", ["-c", file])
                    completed.expectFailure(code: 66, mentioning: [directory + "/store"])
                    try await RawClient.with(broker.address) { try await $0.createTopic("Still", queues: 1) }
                }
            }
        }

        @Test("A store whose files contradict each other is 67", arguments: [-1, 4096])
        func corruptStore(change: Int) async throws {
            try await TemporaryDirectory.with { directory in
                let options = StoreSettings.options(store: directory + "/store")
                _ = try await BrokerProcess.run(options) { broker in
                    try await RawClient.with(broker.address) { client in
                        _ = try await client.send(Payload.message(1, to: QueueName("Some", 0)))
                    }
                }
                let segment = options.store + "/commitlog/00000000000000000000"
                let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: segment))
                try handle.truncate(atOffset: UInt64(StoreSettings.segmentBytes + change))
                try handle.close()
                let file = try BrokerProcess.writeProperties(options, port: try await FreePorts.next())
                let completed = try await CompletedProcess.run("mqbroker", ["-c", file])
                completed.expectFailure(code: 67, mentioning: ["00000000000000000000"])
            }
        }
    }
}
