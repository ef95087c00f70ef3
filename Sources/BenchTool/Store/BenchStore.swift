import Logging
import MQProtocol
import MQStore
import NIOCore

/// Stores for measuring, and the messages that go into them.
struct BenchStore {
    let directory: String
    var segmentBytes = 1 << 30
    var flush = StoreConfiguration.FlushPolicy.synchronous
    /// Zeros ahead of the writer from the start; nil for the default, which grows with the first record.
    var window: Int?

    static let topic = "BenchTopic"
    static let logger = Logger(label: "mqbench") { _ in SwiftLogNoOpLogHandler() }

    var configuration: StoreConfiguration {
        var configuration = StoreConfiguration(directory: directory)
        configuration.segmentBytes = segmentBytes
        configuration.flush = flush
        if let window {
            configuration.firstWindow = window
            configuration.zeroFillWindow = window
        }
        return configuration
    }

    func open(_ observer: StoreObserver = StoreObserver()) throws -> MessageStore {
        try MessageStore.open(
            configuration, device: FileDevice(), time: .system, logger: Self.logger, observer: observer)
    }

    /// Opens, starts, and closes when the work is done.
    func running<Value>(
        _ observer: StoreObserver = StoreObserver(), _ body: (MessageStore) throws -> Value
    ) throws -> Value {
        let store = try open(observer)
        try store.start()
        let outcome = Result { try body(store) }
        try store.close()
        return try outcome.get()
    }

    /// As a broker would store it: 91 bytes, the body, the topic and the usual properties.
    static func draft(bodyBytes: Int, number: Int = 0, topic: String = Self.topic, queueID: Int32 = 0) -> MessageDraft {
        MessageDraft(
            topic: topic, queueID: queueID, sysFlag: [], bornTimestamp: Timestamp(milliseconds: 1_700_000_000_000),
            bornHost: HostAddress(ip: .v4(0x7F00_0001), port: 1000),
            storeHost: HostAddress(ip: .v4(0x7F00_0001), port: 10911),
            body: ByteBuffer(repeating: 0x5A, count: bodyBytes),
            properties: ByteBuffer(string: "UNIQ_KEY\u{1}7F0000010000000000000000\(number)\u{2}WAIT\u{1}true"))
    }

    static func recordBytes(bodyBytes: Int) throws -> Int {
        var batch = AppendBatch()
        try batch.add(draft(bodyBytes: bodyBytes), to: QueueRef(topic: topic, queueID: 0, index: 0))
        return batch.byteCount
    }

    /// Appends until the log holds so many bytes, dispatching in between.
    static func fill(_ store: MessageStore, bytes: Int, bodyBytes: Int) throws {
        let queues = (0..<Int32(8)).map { store.queue(topic, $0) }
        var batch = store.makeBatch()
        var number = 0
        let end = store.appendedOffset + bytes
        while store.appendedOffset < end {
            for _ in 0..<256 {
                number += 1
                let queue = queues[number % 8]
                try batch.add(draft(bodyBytes: bodyBytes, number: number, queueID: queue.queueID), to: queue)
            }
            try store.append(&batch)
            batch.removeAll()
            if number % 8192 == 0 { store.dispatchPending() }
        }
    }
}

/// Seconds since some moment.
enum Stopwatch {
    static var nanoseconds: UInt64 { NIODeadline.now().uptimeNanoseconds }

    static func seconds(_ body: () throws -> Void) rethrows -> Double {
        let begun = nanoseconds
        try body()
        return Double(nanoseconds - begun) / 1e9
    }
}

func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}
