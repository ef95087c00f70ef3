import MQProtocol
import NIOCore

/// `config/consumerOffset.json`, and the answer to request 43.
extension ConsumerOffsets {
    /// Entries that are not `topic@group` with numbers are left out, as a stock broker would never look at them.
    init(parsing text: ByteBuffer) throws {
        let json = try JSONReader.parse(text)
        var table: [TopicGroup: [Int32: Int64]] = [:]
        for member in json["offsetTable"]?.members ?? [] {
            guard let pair = TopicGroup(key: member.key.text) else { continue }
            var offsets: [Int32: Int64] = [:]
            for entry in member.value.members {
                guard let queueID = entry.key.integer.flatMap(Int32.init(exactly:)), let offset = entry.value.integer
                else { continue }
                offsets[queueID] = offset
            }
            table[pair] = offsets
        }
        self.init(table: table)
    }

    private var json: JSONValue {
        let entries = table.map { pair, offsets in
            (key: pair.key, value: JSONValue.integerMap(offsets.map { (Int64($0.key), JSONValue($0.value)) }))
        }
        return ["offsetTable": .textMap(entries)]
    }

    /// As RocketMQ writes the file.
    var text: ByteBuffer { JSONWriter.pretty(json) }

    func encode() -> ByteBuffer { JSONWriter.compact(json) }
}
