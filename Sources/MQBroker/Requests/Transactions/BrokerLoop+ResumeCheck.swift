import MQProtocol
import MQRemoting
import NIOCore

/// Code 323: the checks of a half message start over.
extension BrokerLoop {
    /// The message is named by the id of one of its copies in the half topic, or by that of its record among the
    /// unresolved ones, which is what a person finds.
    func resumeCheck(_ frame: Frame, _ connection: Connection) throws(RequestError) {
        guard let id = frame.fields.string("msgId").flatMap({ OffsetMessageID($0) }) else {
            throw RequestError(.systemError, "msgId is no message id: 32 hexadecimal digits")
        }
        let request = frame.replyTo
        if broker.transactions.resume(at: id.offset) { return complete(request, on: connection, .success) }
        withRecord(at: id.offset, for: request, on: connection) { [self] record in
            if let record, broker.transactions.resume(copyOf: record) {
                return complete(request, on: connection, .success)
            }
            let remark = "Exception was thrown when putting message back to RMQ_SYS_TRANS_HALF_TOPIC."
            refuse(request, on: connection, RequestError(.systemError, remark))
        }
    }
}
