package import NIOCore

/// A request's or response's body that is JSON.
///
/// Members that are missing take RocketMQ's defaults, members that nobody here knows are ignored: 5.x peers send more.
package protocol JSONBody: Sendable {
    init(json: JSONValue) throws(BodyError)
    var json: JSONValue { get }
}

extension JSONBody {
    package static func decode(_ buffer: ByteBuffer) throws(BodyError) -> Self {
        let value: JSONValue
        do {
            value = try JSONReader.parse(buffer)
        } catch {
            throw BodyError(.notJSON, "\(Self.self): \(error)")
        }
        return try Self(json: value)
    }

    /// Compact, in fastjson's dialect.
    package func encode() -> ByteBuffer {
        JSONWriter.compact(json)
    }

    /// As RocketMQ's config files have it.
    package func encodePretty() -> ByteBuffer {
        JSONWriter.pretty(json)
    }
}

/// A body that is not what its request or response demands.
package struct BodyError: Error, Hashable, Sendable, CustomStringConvertible {
    package struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Base: String {
            case notJSON, missingMember, invalidMember, truncated, compression
        }

        private let base: Base
        private init(_ base: Base) { self.base = base }

        package static let notJSON = Code(.notJSON)
        package static let missingMember = Code(.missingMember)
        /// A member of the wrong kind or out of range; the message names it.
        package static let invalidMember = Code(.invalidMember)
        /// A binary body that ends early.
        package static let truncated = Code(.truncated)
        package static let compression = Code(.compression)

        package var description: String { base.rawValue }
    }

    package var code: Code
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { "\(code): \(message)" }
}

// MARK: - Members

extension JSONValue {
    func requiredText(_ name: String) throws(BodyError) -> String {
        guard let text = self[name]?.text else { throw BodyError(.missingMember, name) }
        return text
    }

    func integer(_ name: String, default standard: Int64) throws(BodyError) -> Int64 {
        guard let value = self[name] else { return standard }
        guard let number = value.integer else { throw BodyError(.invalidMember, name) }
        return number
    }

    func integer32(_ name: String, default standard: Int32) throws(BodyError) -> Int32 {
        let number = try integer(name, default: Int64(standard))
        guard let narrow = Int32(exactly: number) else { throw BodyError(.invalidMember, name) }
        return narrow
    }

    func bool(_ name: String, default standard: Bool) throws(BodyError) -> Bool {
        guard let value = self[name] else { return standard }
        guard let bool = value.bool else { throw BodyError(.invalidMember, name) }
        return bool
    }

    func timestamp(_ name: String) throws(BodyError) -> Timestamp {
        Timestamp(milliseconds: try integer(name, default: 0))
    }

    /// The texts of an array; other elements are left out.
    func texts(_ name: String) -> [String] {
        self[name]?.elements.compactMap(\.text) ?? []
    }
}
