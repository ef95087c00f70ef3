import MQClient
import MQProtocol
import NIOCore

/// The place of a half message, and the JSON object as which the outbox keeps it.
struct EncodedHalf: Sendable, Equatable {
    let message: HalfMessage
    let text: String

    init(_ half: HalfMessage) {
        message = half
        text = """
            {"topic":\(Self.quoted(half.topic)),"brokerName":\(Self.quoted(half.brokerName)),\
            "brokerAddress":\(Self.quoted(half.brokerAddress)),"queueID":\(half.queueID),\
            "logOffset":\(half.logOffset),"queueOffset":\(half.queueOffset),\
            "messageID":\(Self.quoted(half.messageID)),"transactionID":\(Self.quoted(half.transactionID)),\
            "status":\(Self.quoted(half.status.rawValue)),"keepsVerdictsFinal":\(half.keepsVerdictsFinal)}
            """
    }

    /// - Parameter text: nil is given back for one that is none.
    init?(text: String) {
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
        message = HalfMessage(
            topic: topic, brokerName: brokerName, brokerAddress: brokerAddress, queueID: queueID,
            logOffset: logOffset, queueOffset: queueOffset, messageID: messageID, transactionID: transactionID,
            status: status, keepsVerdictsFinal: keepsVerdictsFinal)
        self.text = text
    }

    private static func quoted(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { (0x20..<0x7F).contains($0) && $0 != 0x22 && $0 != 0x5C }
        return isPlain ? "\"\(text)\"" : String(buffer: JSONWriter.compact(.string(text), style: .standard))
    }
}
