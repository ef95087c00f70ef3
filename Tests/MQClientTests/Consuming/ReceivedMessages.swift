import MQProtocol
import NIOCore

@testable import MQClient

/// Messages as a broker would deliver them.
enum Received {
    static func message(
        topic: String = "T", offset: Int64, body: String = "body", properties: ReceivedProperties = [:],
        reconsumeTimes: Int32 = 0
    ) -> ReceivedMessage {
        ReceivedMessage(
            topic: topic, body: ByteBuffer(string: body), properties: properties, brokerName: "a", queueID: 0,
            queueOffset: offset, logOffset: offset * 100, storedBytes: 100, flag: 0, systemFlag: 0,
            bornTimestamp: .zero, storeTimestamp: .zero, reconsumeTimes: reconsumeTimes, preparedTransactionOffset: 0,
            bornAddress: HostAddress(ip: .v4(1), port: 1), storeAddress: HostAddress(ip: .v4(1), port: 2))
    }
}
