import Logging
import MQProtocol
import NIOCore
import Testing

@testable import MQStore

/// A closed store with several files of every kind, and a way to damage it.
struct VerifyFixture {
    let fixture: StoreFixture
    let sideFile = "config/topics.json"

    var device: SimulatedDevice { fixture.device }

    init(seed: UInt64 = 1) throws {
        fixture = StoreFixture(seed: seed, queueSegmentEntries: 20)
        let store = try fixture.open()
        for number in 0..<300 {
            let topic = number % 3 == 0 ? "Orders" : "Payments"
            try store.put(
                topic, Int32(number % 4), body: "body \(number) " + String(repeating: "x", count: number % 90),
                properties: "KEYS\u{1}k\(number) shared\u{2}UNIQ_KEY\u{1}U\(number)\u{2}TAGS\u{1}t\(number % 5)")
            fixture.clock.advance(by: .milliseconds(10))
            if number % 50 == 0 { store.dispatchPending() }
        }
        store.dispatchPending()
        try store.saveCheckpoint()
        try store.close()
        let side = SideFile(device: device, path: "/store/\(sideFile)", logger: LogFixture.silent)
        try side.save(ByteBuffer(string: "{\"version\":1}"))
        try side.save(ByteBuffer(string: "{\"version\":2}"))
    }

    private var format: SideFileFormat { SideFileFormat(path: sideFile) { _ = try JSONReader.parse($0) } }

    /// - Parameter deleted: topics that are known to be gone; without any, nobody knows which there are.
    func verify(deleted: Set<String> = []) throws -> VerifyReport {
        try StoreVerifier(fixture.configuration, device: device, sideFiles: [format])
            .run(isKnownTopic: { _, topic in deleted.isEmpty ? nil : !deleted.contains(topic) })
    }

    func repair(_ report: VerifyReport) throws {
        fixture.clock.advance(by: .seconds(1))
        try StoreRepair(
            fixture.configuration, device: device, time: .manual(fixture.clock), logger: LogFixture.silent
        ).run(report)
    }

    // MARK: Damage

    var segments: [String] {
        get throws { try device.list("/store/commitlog")?.map { "/store/commitlog/\($0.name)" } ?? [] }
    }

    var indexFiles: [String] {
        get throws { try device.list("/store/index")?.map { "/store/index/\($0.name)" } ?? [] }
    }

    func overwrite(_ path: String, at offset: Int, _ text: String) throws {
        try device.open(path, .readWrite).write(ByteBuffer(string: text), at: offset)
    }

    func truncate(_ path: String, to length: Int) throws { try device.open(path, .readWrite).setLength(length) }

    /// File and place of the record with this body.
    func place(ofBody body: String) throws -> (path: String, record: Int, body: Int) {
        let wanted = Array(body.utf8)
        for path in try segments {
            let bytes = Array(try #require(try device.contents(of: path)).readableBytesView)
            for start in 0..<bytes.count - wanted.count where Array(bytes[start..<start + wanted.count]) == wanted {
                // Body length and 84 fixed bytes stand in front of a body.
                return (path, start - 88, start)
            }
        }
        throw StoreError(.notFound, body)
    }

    /// Bodies of every queue, as a broker would deliver them.
    func messages() throws -> [String: [String]] {
        let store = try fixture.open()
        var messages: [String: [String]] = [:]
        for queue in store.allQueues() {
            let name = "\(queue.topic)/\(queue.queueID)"
            var offset = store.minimumOffset(of: queue).rawValue
            while offset < store.maximumOffset(of: queue).rawValue {
                messages[name, default: []] += store.pull(queue.topic, queue.queueID, from: offset, count: 1)
                offset += 1
            }
        }
        try store.close()
        return messages
    }
}
