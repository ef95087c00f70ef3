import Foundation

/// The store directory of a stock broker with its default sizes: two segments, plain, delayed, half, op and committed
/// messages, and a consumer in the middle of a queue.
struct StockStore {
    static let segmentBytes = 1 << 30
    static let queueBytes = 6_000_000
    static let slots = 5_000_000
    static let indexBytes = 420_000_040

    let directory: URL
    private(set) var records: [StockRecord] = []
    private(set) var blank = 0

    init(in directory: URL, isKilled: Bool) throws {
        self.directory = directory
        fill()
        try writeLog()
        try writeQueues()
        try writeIndex()
        try writeSmallFiles(isKilled: isKilled)
    }

    /// The log, in order; the last three records are in the second segment.
    private mutating func fill() {
        add(plain(0), plain(1))
        add(
            StockRecord(
                topic: "SCHEDULE_TOPIC_XXXX", queueID: 1, body: "delayed",
                properties: [
                    ["REAL_TOPIC", "TopicTest"], ["KEYS", "DK"], ["UNIQ_KEY", "U-delayed"], ["DELAY", "2"],
                    ["WAIT", "true"], ["TAGS", "TagD"], ["REAL_QID", "1"],
                ]))
        add(half("committed", 0), half("undecided", 1))
        let prepared = records[3]
        add(
            StockRecord(
                topic: "TopicTx", queueID: 1, sysFlag: 8, preparedOffset: prepared.physicalOffset, body: "committed",
                properties: prepared.properties),
            op(0, of: 0))
        blank = Int(records.map { $0.physicalOffset + Int64($0.bytes.count) }.max() ?? 0)
        add(half("rolledBack", 2), op(1, of: 2), plain(2))
    }

    private func plain(_ number: Int64) -> StockRecord {
        StockRecord(
            topic: "TopicTest", queueID: 3, queueOffset: number, body: "plain \(number)",
            properties: [
                ["KEYS", "KEY\(number) shared"], ["UNIQ_KEY", "U-plain-\(number)"], ["CLUSTER", "DefaultCluster"],
                ["WAIT", "true"], ["TAGS", "TagA"],
            ])
    }

    private func half(_ key: String, _ number: Int64) -> StockRecord {
        StockRecord(
            topic: "RMQ_SYS_TRANS_HALF_TOPIC", queueOffset: number, body: key,
            properties: [
                ["REAL_TOPIC", "TopicTx"], ["KEYS", "TK"], ["TRAN_MSG", "true"], ["UNIQ_KEY", "U-\(key)"],
                ["PGROUP", "PG_tx"], ["WAIT", "true"], ["TAGS", "T1"], ["REAL_QID", "1"],
            ])
    }

    private func op(_ number: Int64, of half: Int64) -> StockRecord {
        StockRecord(
            topic: "RMQ_SYS_TRANS_OP_HALF_TOPIC", queueOffset: number, body: "\(half)",
            properties: [["WAIT", "true"], ["TAGS", "d"]])
    }

    private mutating func add(_ more: StockRecord...) {
        for var record in more {
            let last = records.last.map { Int($0.physicalOffset) + $0.bytes.count } ?? 0
            record.physicalOffset = Int64(blank > 0 ? max(last, Self.segmentBytes) : last)
            record.storeTimestamp += Int64(records.count) * 1000
            records.append(record)
        }
    }

    private func writeLog() throws {
        for segment in 0..<2 {
            let start = segment * Self.segmentBytes
            var pieces = records.filter { Int($0.physicalOffset) / Self.segmentBytes == segment }.map {
                (at: Int($0.physicalOffset) - start, bytes: $0.bytes)
            }
            if segment == 0 {
                let left = Int64(Self.segmentBytes - blank)
                pieces.append(
                    (blank, StockBytes.integer(left, bytes: 4) + StockBytes.integer(StockRecord.blank, bytes: 4)))
            }
            try StockBytes.write(
                pieces, length: Self.segmentBytes, to: directory.appending(path: "commitlog/\(StockBytes.name(start))"))
        }
    }

    private func writeQueues() throws {
        for (queue, records) in Dictionary(grouping: records, by: { "\($0.topic)/\($0.queueID)" }) {
            let pieces = records.map { record in
                let isDelayed = record.topic == "SCHEDULE_TOPIC_XXXX"
                let code = isDelayed ? record.storeTimestamp + 5000 : record.tagsCode
                let entry =
                    StockBytes.integer(record.physicalOffset, bytes: 8)
                    + StockBytes.integer(Int64(record.bytes.count), bytes: 4) + StockBytes.integer(code, bytes: 8)
                return (at: Int(record.queueOffset) * 20, bytes: entry)
            }
            try StockBytes.write(
                pieces, length: Self.queueBytes,
                to: directory.appending(path: "consumequeue/\(queue)/\(StockBytes.name(0))"))
        }
    }

    private func writeIndex() throws {
        var heads: [Int: Int64] = [:]
        var pieces: [(at: Int, bytes: [UInt8])] = []
        var next: Int64 = 1
        let indexed = records.filter { !$0.keys.isEmpty }
        guard let first = indexed.first, let last = indexed.last else { return }
        for record in indexed {
            for key in record.keys {
                let hash = StockBytes.javaHash("\(record.topic)#\(key)")
                let positive = hash == .min ? 0 : abs(Int64(hash))
                let slot = Int(positive) % Self.slots
                let entry =
                    StockBytes.integer(positive, bytes: 4) + StockBytes.integer(record.physicalOffset, bytes: 8)
                    + StockBytes.integer((record.storeTimestamp - first.storeTimestamp) / 1000, bytes: 4)
                    + StockBytes.integer(heads[slot] ?? 0, bytes: 4)
                pieces.append((40 + 4 * Self.slots + 20 * Int(next), entry))
                heads[slot] = next
                next += 1
            }
        }
        for (slot, head) in heads { pieces.append((40 + 4 * slot, StockBytes.integer(head, bytes: 4))) }
        let header =
            StockBytes.integer(first.storeTimestamp, bytes: 8) + StockBytes.integer(last.storeTimestamp, bytes: 8)
            + StockBytes.integer(first.physicalOffset, bytes: 8) + StockBytes.integer(last.physicalOffset, bytes: 8)
            + StockBytes.integer(Int64(heads.count), bytes: 4) + StockBytes.integer(next, bytes: 4)
        pieces.append((0, header))
        try StockBytes.write(
            pieces, length: Self.indexBytes, to: directory.appending(path: "index/20261121014605495"))
    }

    private func writeSmallFiles(isKilled: Bool) throws {
        let time = records.last?.storeTimestamp ?? 0
        let times = StockBytes.integer(time, bytes: 8) + StockBytes.integer(time, bytes: 8)
        try StockBytes.write([(0, times)], length: 4096, to: directory.appending(path: "checkpoint"))
        try StockBytes.write([(0, Array("lock".utf8))], length: 4, to: directory.appending(path: "lock"))
        if isKilled { try StockBytes.write([], length: 0, to: directory.appending(path: "abort")) }
        let texts = [
            "topics": Self.topics, "subscriptionGroup": Self.groups, "consumerOffset": Self.offsets,
            "delayOffset": "{\n\t\"offsetTable\":{1:0,3:0\n\t}\n}",
        ]
        for (name, text) in texts {
            let bytes = Array(text.utf8)
            try StockBytes.write(
                [(0, bytes)], length: bytes.count, to: directory.appending(path: "config/\(name).json"))
        }
    }

    private static let offsets = """
        {
        \t"offsetTable":{
        \t\t"TopicTest@CG":{0:0,1:0,2:0,3:2
        \t\t},
        \t\t"RMQ_SYS_TRANS_HALF_TOPIC@CID_RMQ_SYS_TRANS":{0:1
        \t\t},
        \t\t"RMQ_SYS_TRANS_OP_HALF_TOPIC@CID_RMQ_SYS_TRANS":{0:1
        \t\t}
        \t}
        }
        """

    private static let topics = """
        {
        \t"dataVersion":{
        \t\t"counter":13,
        \t\t"timestamp":1795226077556
        \t},
        \t"topicConfigTable":{
        \t\t"TopicTx":{
        \t\t\t"order":false,
        \t\t\t"perm":6,
        \t\t\t"readQueueNums":4,
        \t\t\t"topicFilterType":"SINGLE_TAG",
        \t\t\t"topicName":"TopicTx",
        \t\t\t"topicSysFlag":0,
        \t\t\t"writeQueueNums":4
        \t\t},
        \t\t"TopicTest":{
        \t\t\t"order":false,
        \t\t\t"perm":6,
        \t\t\t"readQueueNums":4,
        \t\t\t"topicFilterType":"SINGLE_TAG",
        \t\t\t"topicName":"TopicTest",
        \t\t\t"topicSysFlag":0,
        \t\t\t"writeQueueNums":4
        \t\t}
        \t}
        }
        """

    private static let groups = """
        {
        \t"dataVersion":{
        \t\t"counter":6,
        \t\t"timestamp":1795225831672
        \t},
        \t"subscriptionGroupTable":{
        \t\t"CG":{
        \t\t\t"brokerId":0,
        \t\t\t"consumeBroadcastEnable":true,
        \t\t\t"consumeEnable":true,
        \t\t\t"consumeFromMinEnable":true,
        \t\t\t"groupName":"CG",
        \t\t\t"notifyConsumerIdsChangedEnable":true,
        \t\t\t"retryMaxTimes":5,
        \t\t\t"retryQueueNums":1,
        \t\t\t"whichBrokerWhenConsumeSlowly":1
        \t\t}
        \t}
        }
        """
}
