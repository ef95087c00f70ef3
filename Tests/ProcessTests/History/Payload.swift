import MQProtocol
import NIOCore
import TestSupport

/// Message bodies that can be made again from their number, so that a test need not keep them.
enum Payload {
    /// The number, then up to 1,500 bytes that depend on it.
    static func body(_ number: Int64) -> ByteBuffer {
        var generator = SeededGenerator(seed: UInt64(bitPattern: number))
        var buffer = ByteBuffer()
        buffer.writeInteger(number)
        for _ in 0..<Int.random(in: 0...187, using: &generator) {
            buffer.writeInteger(generator.next())
        }
        return buffer
    }

    static func number(in body: ByteBuffer) -> Int64? {
        body.getInteger(at: body.readerIndex)
    }

    static func key(_ number: Int64) -> String { "key-\(number)" }

    static func message(_ number: Int64, to queue: QueueName) -> OutgoingMessage {
        OutgoingMessage(queue: queue, body: body(number), properties: [PropertyName.keys: key(number)])
    }
}
