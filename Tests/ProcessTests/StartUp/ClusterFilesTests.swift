import Foundation
import MQProtocol
import ProcessOutput
import ProcessSupport
import Testing

extension ProcessTests {
    /// The files of a cluster of two masters and two slaves with synchronous double write, as operators have them.
    @Suite("A 2m-2s-sync set of files")
    struct ClusterFilesTests {
        private static func text(name: String, isSlave: Bool) -> String {
            """
            # \(isSlave ? "slave" : "master") of \(name)
            brokerClusterName = DefaultCluster
            brokerName = \(name)
            brokerId = \(isSlave ? 1 : 0)
            deleteWhen = 04
            fileReservedTime = 48
            brokerRole = \(isSlave ? "SLAVE" : "SYNC_MASTER")
            flushDiskType = SYNC_FLUSH
            mapedFileSizeCommitLog = 1073741824
            sendMessageThreadPoolNums = 16
            useReentrantLockWhenPutMessage = true
            haListenPort = 10912
            """
        }

        @Test("is read unchanged", arguments: [("broker-a", false), ("broker-b", false), ("broker-a", true)])
        func isRead(name: String, isSlave: Bool) async throws {
            try await TemporaryDirectory.with { directory in
                let file = directory + "/\(name).properties"
                try Self.text(name: name, isSlave: isSlave).write(toFile: file, atomically: true, encoding: .utf8)
                let completed = try await CompletedProcess.run("mqbroker", ["-c", file, "-p"])
                #expect(completed.exit == .code(0), "it said \(completed.errors)")
                #expect(completed.output.contains { $0.contains("brokerName=\(name)") })
            }
        }

        @Test("starts a master, which names the keys that have no meaning here")
        func masterStarts() async throws {
            try await TemporaryDirectory.with { directory in
                let port = try await FreePorts.next()
                let file = directory + "/broker-a.properties"
                let places = "\nlistenPort=\(port)\nstorePathRootDir=\(directory)/store\n"
                try (Self.text(name: "broker-a", isSlave: false) + places)
                    .write(toFile: file, atomically: true, encoding: .utf8)
                let ended = try await ServerProcess.run("mqbroker", arguments: ["-c", file]) { process in
                    try await process.requireLine(containing: "boot success")
                    try await RawClient.with("127.0.0.1:\(port)") { client in
                        let answer = try await client.send(Payload.message(1, to: QueueName("Any", 0)))
                        #expect(answer.code == .success || answer.code == .slaveNotAvailable)
                    }
                    return process.output.lines + process.errors.lines
                }
                #expect(ended.exit == .code(0))
                #expect(ended.value.contains { $0.contains("sendMessageThreadPoolNums") })
            }
        }
    }
}
