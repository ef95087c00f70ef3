import Foundation
@testable import MQClient
import MQProtocol
import NIOCore
import Testing

@Suite struct OffsetFileTests {
    private let queues = (0..<3).map { MessageQueue(topic: "T", brokerName: "a", queueID: $0) }

    private func withFolder(_ body: (String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("offsets-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        try await body(folder.path)
    }

    @Test("Offsets come back, those of other queues are kept, and the version before stands beside")
    func roundTrip() async throws {
        try await withFolder { root in
            let file = try OffsetFile(root: root, clientID: "c@1", group: "g")
            #expect(file.path == "\(root)/c@1/g/offsets.json")
            #expect(file.offset(of: queues[0]) == nil)
            try await file.store([(queues[0], 5), (queues[1], 7)])
            try await file.store([(queues[1], 8)])
            let again = try OffsetFile(root: root, clientID: "c@1", group: "g")
            #expect(queues.map(again.offset) == [5, 8, nil])
            let before = try ResetOffsetBody.decode(try #require(try LocalFile.read(file.path + ".bak")))
            #expect(before.entries.map(\.offset.rawValue) == [5, 7])
        }
    }

    @Test("A file written by RocketMQ's Java client is read")
    func javaFile() async throws {
        try await withFolder { root in
            let path = "\(root)/c@1/g/offsets.json"
            try LocalFile.replace(
                path,
                with: ByteBuffer(
                    string: """
                        {
                        \t"offsetTable":{{
                        \t\t\t"brokerName":"a",
                        \t\t\t"queueId":1,
                        \t\t\t"topic":"T"
                        \t\t}:12
                        \t}
                        }
                        """
                ))
            let file = try OffsetFile(root: root, clientID: "c@1", group: "g")
            #expect(queues.map(file.offset) == [nil, 12, nil])
        }
    }

    @Test("A damaged or missing file is replaced by the version before; two damaged ones are an error")
    func damage() async throws {
        try await withFolder { root in
            let path = "\(root)/c@1/g/offsets.json"
            func open() throws -> OffsetFile { try OffsetFile(root: root, clientID: "c@1", group: "g") }
            try await open().store([(queues[0], 5)])
            try await open().store([(queues[0], 6)])
            try Data("{\"offsetTable\":{{".utf8).write(to: URL(fileURLWithPath: path))
            #expect(try open().offset(of: queues[0]) == 5)
            try FileManager.default.removeItem(atPath: path)
            #expect(try open().offset(of: queues[0]) == 5)
            try Data("x".utf8).write(to: URL(fileURLWithPath: path + ".bak"))
            let error = #expect(throws: MQClientError.self) { try open() }
            #expect(error?.code == .offsetFile)
        }
    }

    @Test("A client id of this process is no name for a file that outlives it")
    func stableName() throws {
        let file = try OffsetFile(root: "/nowhere", clientID: LocalMachine.uniqueClientID(), group: "g")
        #expect(file.path == "/nowhere/\(LocalMachine.address)@DEFAULT/g/offsets.json")
    }
}
