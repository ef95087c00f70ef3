public import Foundation

/// How events of one type become the bytes of a message, and back.
public struct EventCodec<Value: Sendable>: Sendable {
    var encode: @Sendable (Value) throws -> Data
    var decode: @Sendable (Data) throws -> Value

    /// - Parameters:
    ///   - encode: one body, at most 4 MiB.
    ///   - decode: throws for bytes that are no such event; the message becomes a dead letter, because no retry helps.
    public init(
        encode: @escaping @Sendable (Value) throws -> Data,
        decode: @escaping @Sendable (Data) throws -> Value
    ) {
        self.encode = encode
        self.decode = decode
    }
}

extension EventCodec where Value: Codable {
    /// JSON with sorted keys, so that equal events have equal bytes.
    public static var json: EventCodec<Value> {
        EventCodec(
            encode: { try JSONCodec.encoder.encode($0) },
            decode: { try JSONCodec.decoder.decode(Value.self, from: $0) }
        )
    }
}

/// Made once: both may be used from any thread, and making them costs as much as a small event.
enum JSONCodec {
    static let encoder: JSONEncoder = {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }()
    static let decoder = JSONDecoder()
}
