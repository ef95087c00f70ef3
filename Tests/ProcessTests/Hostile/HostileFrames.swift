import MQProtocol
import NIOCore
import TestSupport

/// What servers receive from scanners, broken clients and attackers.
enum HostileFrames {
    /// Frames that no peer may wait for or read on after: the server closes the connection.
    static var rejected: [(name: String, bytes: ByteBuffer)] {
        [
            ("length 0", raw(length: 0, headerWord: 0)),
            ("length 3", raw(length: 3, headerWord: 0)),
            ("length -1", raw(length: -1, headerWord: 0)),
            ("the smallest length", raw(length: .min, headerWord: 0)),
            ("the largest length", raw(length: .max, headerWord: 0)),
            ("a frame over the limit", raw(length: 16_777_216, headerWord: 10)),
            ("a header longer than its frame", raw(length: 100, headerWord: 97)),
            ("a header of 16 MiB", raw(length: 100, headerWord: 0xFF_FFFF)),
            ("an unknown header encoding", raw(length: 100, headerWord: 0x7F00_0010)),
            ("a header that is no JSON", framed("this is no header")),
            ("a header that ends too early", framed(#"{"code":10,"extFields":{"a":"#)),
            ("a header of brackets", framed(String(repeating: "[", count: 200_000))),
            (
                "ext fields of brackets",
                framed(#"{"code":10,"extFields":{"a":"# + String(repeating: "[", count: 200_000))
            ),
            ("HTTP", ByteBuffer(string: "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")),
            ("HTTP POST", ByteBuffer(string: "POST /bean HTTP/1.0\r\nContent-Length: 1\r\n\r\n1")),
            (
                "TLS garbage",
                ByteBuffer(bytes: [0x16, 3, 1, 0, 5, 9, 9, 9, 9, 9] + [UInt8](repeating: 0xAB, count: 300))
            ),
            ("an old TLS hello", ByteBuffer(bytes: [0x80, 0x2E, 1, 3, 1, 0, 0x15, 0, 0, 0, 0x10])),
        ]
    }

    private static func raw(length: Int32, headerWord: UInt32) -> ByteBuffer {
        var buffer = ByteBuffer(integer: length)
        buffer.writeInteger(headerWord)
        buffer.writeRepeatingByte(0x7B, count: 64)
        return buffer
    }

    static func framed(_ header: String, body: ByteBuffer = ByteBuffer()) -> ByteBuffer {
        var buffer = ByteBuffer(integer: Int32(4 + header.utf8.count + body.readableBytes))
        buffer.writeInteger(Int32(header.utf8.count))
        buffer.writeString(header)
        buffer.writeImmutableBuffer(body)
        return buffer
    }

    /// Requests as stock clients send them, for mutation.
    static func valid(_ encoding: HeaderEncoding) -> [ByteBuffer] {
        let queue = QueueName("Victim", 0)
        let send = RawClient.sendFields(queue, properties: [PropertyName.keys: "k", PropertyName.tags: "t"])
        let pull = [
            ("consumerGroup", "g"), ("topic", "Victim"), ("queueId", "0"), ("queueOffset", "0"), ("maxMsgNums", "32"),
            ("sysFlag", "4"), ("commitOffset", "0"), ("suspendTimeoutMillis", "100"), ("subscription", "*"),
            ("subVersion", "0"),
        ]
        let register = [
            ("brokerName", "b"), ("brokerAddr", "127.0.0.1:1"), ("clusterName", "c"), ("haServerAddr", "127.0.0.1:2"),
            ("brokerId", "0"), ("compressed", "true"),
        ]
        let consumer = #"{"groupName":"g","subscriptionDataSet":[{"topic":"Victim","subString":"*"}]}"#
        let heartbeat = #"{"clientID":"c","consumerDataSet":[\#(consumer)],"producerDataSet":[]}"#
        let requests: [(RequestCode, [(String, String)], String)] = [
            (.sendMessageV2, send, "body"),
            (.sendMessage, RawClient.sendFields(queue, properties: [:], usesLongNames: true), "body"),
            (.sendBatchMessage, RawClient.sendFields(queue, properties: [:], isBatch: true), "no batch"),
            (.pullMessage, pull, ""),
            (.heartbeat, [], heartbeat),
            (.endTransaction, Half(number: 1, queueOffset: 0, logOffset: 0).endFields(.commit), ""),
            (.consumerSendMessageBack, [("offset", "0"), ("group", "g"), ("delayLevel", "1")], ""),
            (
                .updateConsumerOffset,
                [("consumerGroup", "g"), ("topic", "Victim"), ("queueId", "0"), ("commitOffset", "1")], ""
            ),
            (
                .queryMessage,
                [("topic", "Victim"), ("key", "k"), ("maxNum", "3"), ("beginTimestamp", "0"), ("endTimestamp", "9")], ""
            ),
            (.viewMessageByID, [("offset", "0")], ""),
            (
                .lockBatchMQ, [],
                #"{"clientId":"c","consumerGroup":"g","mqSet":[{"topic":"Victim","queueId":0,"brokerName":"b"}]}"#
            ),
            (.updateAndCreateTopic, RawClient.topicFields("Mutant", queues: 4), ""),
            (.getRouteInfoByTopic, [("topic", "Victim")], ""),
            (.registerBroker, register, #"{"topicConfigSerializeWrapper":{}}"#),
            (.putKVConfig, [("namespace", "n"), ("key", "k"), ("value", "v")], ""),
        ]
        return requests.enumerated().map { index, request in
            var buffer = ByteBuffer()
            buffer.writeRequest(
                request.0, opaque: Int32(index), oneWay: false, encoding: encoding, header: EmptyHeader(),
                body: ByteBuffer(string: request.2), extra: request.1)
            return buffer
        }
    }

    /// A frame with a few of its bytes changed, removed or repeated.
    static func mutant(of frames: [ByteBuffer], using generator: inout SeededGenerator) -> ByteBuffer {
        var bytes = Array(frames[Int.random(in: 0..<frames.count, using: &generator)].readableBytesView)
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            let position = Int.random(in: 0..<bytes.count, using: &generator)
            switch Int.random(in: 0..<6, using: &generator) {
            case 0: bytes[position] = UInt8.random(in: 0...255, using: &generator)
            case 1: bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            case 2: bytes.remove(at: position)
            case 3: bytes.insert(contentsOf: bytes[position...].prefix(16), at: position)
            case 4: bytes[position] = [0x00, 0x7F, 0x80, 0xFF, 0x2D, 0x22][Int.random(in: 0..<6, using: &generator)]
            default: bytes.removeLast(Int.random(in: 0..<min(8, bytes.count - 1), using: &generator))
            }
            if bytes.count < 2 { break }
        }
        return ByteBuffer(bytes: bytes)
    }
}
