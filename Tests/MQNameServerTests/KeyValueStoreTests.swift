import Foundation
import NIOCore
import Testing

@testable import MQNameServer

@Suite struct KeyValueStoreTests {
    /// A directory that is removed when the test ends.
    private static func withDirectory(_ body: (String) throws -> Void) throws {
        let path = NSTemporaryDirectory() + "escrow-kv-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(path)
    }

    @Test func valuesSurviveARestart() throws {
        try Self.withDirectory { directory in
            let path = directory + "/deep/kvConfig.json"
            let store = try KeyValueStore(path: path)
            try store.change { $0.put(namespace: "N", key: "k", value: "v \"quoted\" 日本") }
            try store.change { $0.put(namespace: "N", key: "gone", value: "x") }
            try store.change { $0.delete(namespace: "N", key: "gone") }
            #expect(try KeyValueStore(path: path).current == store.current)
            #expect(store.current.values(namespace: "N") == ["k": "v \"quoted\" 日本"])
        }
    }

    @Test func theVersionBeforeIsUsedWhenTheFileMakesNoSense() throws {
        try Self.withDirectory { directory in
            let path = directory + "/kv.json"
            let store = try KeyValueStore(path: path)
            try store.change { $0.put(namespace: "N", key: "k", value: "1") }
            try store.change { $0.put(namespace: "N", key: "k", value: "2") }
            try Data("{\"configTable\":{\"N\"".utf8).write(to: URL(fileURLWithPath: path))
            #expect(try KeyValueStore(path: path).current.value(namespace: "N", key: "k") == "1")
            try Data("[]".utf8).write(to: URL(fileURLWithPath: path + ".bak"))
            #expect { try KeyValueStore(path: path) } throws: { error in
                let error = error as? NameServerError
                return error?.code == .corrupt && error?.message.contains(path) == true
            }
        }
    }

    @Test func aChangeThatCannotBeWrittenIsNotMade() throws {
        try Self.withDirectory { directory in
            let store = try KeyValueStore(path: directory + "/kv.json")
            try store.change { $0.put(namespace: "N", key: "k", value: "1") }
            try FileManager.default.removeItem(atPath: directory)
            try Data().write(to: URL(fileURLWithPath: directory))
            #expect { try store.change { $0.put(namespace: "N", key: "k", value: "2") } } throws: { error in
                (error as? NameServerError)?.code == .inputOutput
            }
            #expect(store.current.value(namespace: "N", key: "k") == "1")
        }
    }

    @Test func readsTheFileOfAStockNameServer() throws {
        let text = """
            {
            \t"configTable":{
            \t\t"ORDER_TOPIC_CONFIG":{
            \t\t\t"TopicTest":"broker-a:4"
            \t\t}
            \t}
            }
            """
        let table = try #require(KeyValueTable(decoding: ByteBuffer(string: text)))
        #expect(table.value(namespace: KeyValueTable.orderTopicNamespace, key: "TopicTest") == "broker-a:4")
    }

    @Test(arguments: [
        "", "null", "[]", "{\"configTable\":[]}", "{\"configTable\":{\"N\":1}}", "{\"configTable\":{\"N\":{\"k\":1}}}",
    ])
    func otherTextIsNoTable(text: String) {
        #expect(KeyValueTable(decoding: ByteBuffer(string: text)) == nil)
    }
}
