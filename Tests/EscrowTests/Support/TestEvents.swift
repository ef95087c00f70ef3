import Foundation
import MQClient
import MQProtocol
import NIOCore

@testable import Escrow
@testable import MQClient

/// Events of the tests.
struct Placed: Event {
    static let topic: Topic = "orders"
    var order: String
    var number = 0
    var idempotencyKey: IdempotencyKey { "placed/\(order)/\(number)" }
    var orderingKey: OrderingKey { .by(order) }
}

struct Noted: Event {
    static let topic: Topic = "notes"
    var text: String
    var idempotencyKey: IdempotencyKey { "noted/\(text)" }
    var orderingKey: OrderingKey { .none }
}

extension ReceivedMessage {
    /// A message as a broker would deliver it.
    static func delivery(_ event: some Event, messageID: String = UUID().uuidString) throws -> ReceivedMessage {
        let outgoing = try OutgoingEvent(event, in: Namespace(nil))
        return delivery(outgoing, messageID: messageID)
    }

    static func delivery(_ event: OutgoingEvent, messageID: String = UUID().uuidString) -> ReceivedMessage {
        var properties = [
            "TAGS": event.tag, "UNIQ_KEY": messageID, EventProperty.idempotencyKey: event.idempotencyKey,
        ]
        if let key = event.orderingKey { properties[EventProperty.orderingKey] = key }
        let host = HostAddress(ip: .v4(0x7F00_0001), port: 1)
        return ReceivedMessage(
            topic: event.topic, body: ByteBuffer(bytes: event.body), properties: ReceivedProperties(properties),
            brokerName: "b", queueID: 0, queueOffset: 0, logOffset: 0, storedBytes: 0, flag: 0, systemFlag: 0,
            bornTimestamp: .zero, storeTimestamp: .zero, reconsumeTimes: 0, preparedTransactionOffset: 0,
            bornAddress: host, storeAddress: host)
    }
}
