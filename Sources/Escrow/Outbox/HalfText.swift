import MQClient
import MQProtocol
import NIOCore

/// The place of a half message as the outbox keeps it: a JSON object.
enum HalfText {
    static func encode(_ half: HalfMessage) -> String {
        let value: JSONValue = [
            "topic": .string(half.topic), "brokerName": .string(half.brokerName),
            "brokerAddress": .string(half.brokerAddress), "queueID": JSONValue(half.queueID),
            "logOffset": JSONValue(half.logOffset), "queueOffset": JSONValue(half.queueOffset),
            "messageID": .string(half.messageID), "transactionID": .string(half.transactionID),
            "status": .string(half.status.rawValue), "keepsVerdictsFinal": .bool(half.keepsVerdictsFinal),
        ]
        return String(buffer: JSONWriter.compact(value, style: .standard))
    }

    /// Nil for a text that is none.
    static func decode(_ text: String) -> HalfMessage? {
        guard let value = try? JSONReader.parse(text),
            let topic = value["topic"]?.text,
            let brokerName = value["brokerName"]?.text,
            let brokerAddress = value["brokerAddress"]?.text,
            let queueID = value["queueID"]?.integer.flatMap(Int32.init(exactly:)),
            let logOffset = value["logOffset"]?.integer,
            let queueOffset = value["queueOffset"]?.integer,
            let messageID = value["messageID"]?.text,
            let transactionID = value["transactionID"]?.text,
            let status = value["status"]?.text.flatMap(SendReceipt.Status.init(rawValue:)),
            let keepsVerdictsFinal = value["keepsVerdictsFinal"]?.bool
        else { return nil }
        return HalfMessage(
            topic: topic, brokerName: brokerName, brokerAddress: brokerAddress, queueID: queueID,
            logOffset: logOffset, queueOffset: queueOffset, messageID: messageID, transactionID: transactionID,
            status: status, keepsVerdictsFinal: keepsVerdictsFinal)
    }
}
