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
            encode: { value in
                let encoder = JSONEncoder()
                encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
                return try encoder.encode(value)
            },
            decode: { try JSONDecoder().decode(Value.self, from: $0) }
        )
    }
}
