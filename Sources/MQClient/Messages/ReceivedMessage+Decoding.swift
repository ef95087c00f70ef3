import MQProtocol
import NIOCore

extension ReceivedMessage {
    /// - Throws: `RecordError` for a body that cannot be decompressed.
    init(_ stored: StoredMessage, brokerName: String) throws(RecordError) {
        var properties: [String: String] = [:]
        for (name, value) in stored.properties { properties[name] = value }
        self.init(
            topic: stored.topic,
            body: try stored.decompressedBody(limit: 64 << 20),
            properties: properties,
            brokerName: brokerName,
            queueID: stored.queueID,
            queueOffset: stored.queueOffset.rawValue,
            logOffset: stored.logOffset.rawValue,
            storedBytes: Int32(clamping: stored.record.totalSize),
            flag: stored.flag,
            systemFlag: stored.sysFlag.rawValue,
            bornTimestamp: stored.bornTimestamp,
            storeTimestamp: stored.storeTimestamp,
            bornHost: stored.bornHost.description,
            storeHost: stored.storeHost.description,
            reconsumeTimes: stored.reconsumeTimes,
            preparedTransactionOffset: stored.preparedTransactionOffset.rawValue,
            offsetMessageID: stored.offsetMessageID.hex
        )
    }

    /// The messages of an answer's body, in order.
    static func list(
        _ body: ByteBuffer, brokerName: String, address: String
    ) throws(MQClientError) -> [ReceivedMessage] {
        do throws(RecordError) {
            var messages: [ReceivedMessage] = []
            for stored in try StoredMessage.list(from: body) {
                messages.append(try ReceivedMessage(stored, brokerName: brokerName))
            }
            return messages
        } catch {
            throw MQClientError(malformed: "messages", from: address, cause: error)
        }
    }
}
