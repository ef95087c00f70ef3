import NIOCore

/// A JSON text as a value, with what fastjson allows beyond the standard: keys that are numbers or whole objects.
package enum JSONValue: Sendable, Hashable {
    case null
    case bool(Bool)
    case integer(Int64)
    /// Every number that is no 64-bit integer.
    case double(Double)
    case string(String)
    indirect case array([JSONValue])
    indirect case object([Member])

    /// One entry of an object. Entries keep their order.
    package struct Member: Sendable, Hashable {
        package var key: MemberKey
        package var value: JSONValue

        package init(_ key: MemberKey, _ value: JSONValue) {
            self.key = key
            self.value = value
        }
    }

    package enum MemberKey: Sendable, Hashable {
        case text(String)
        /// Written without quotes in fastjson's dialect.
        case integer(Int64)
        /// A `Map<MessageQueue, …>` has objects as keys.
        indirect case object(JSONValue)

        /// The number that the key is, quoted or not.
        package var integer: Int64? {
            switch self {
            case .integer(let number): number
            case .text(let text): Int64(text)
            case .object: nil
            }
        }

        package var text: String {
            switch self {
            case .integer(let number): String(number)
            case .text(let text): text
            case .object(let value): String(buffer: JSONWriter.compact(value))
            }
        }

        /// The object that the key is, or that its text spells.
        package var object: JSONValue? {
            switch self {
            case .object(let value): value
            case .text(let text) where text.utf8.first == UInt8(ascii: "{"):
                try? JSONReader.parse(text)
            default: nil
            }
        }
    }
}

// MARK: - Building

extension JSONValue: ExpressibleByDictionaryLiteral, ExpressibleByArrayLiteral, ExpressibleByStringLiteral,
    ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral, ExpressibleByNilLiteral
{
    package typealias Key = String
    package typealias Value = JSONValue
    package typealias ArrayLiteralElement = JSONValue

    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(elements.map { Member(.text($0.0), $0.1) })
    }

    package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int64) { self = .integer(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(nilLiteral: ()) { self = .null }

    /// Null for nil: members that are null are not written.
    package init(_ text: String?) { self = text.map(JSONValue.string) ?? .null }
    package init(_ number: some BinaryInteger) { self = .integer(Int64(clamping: number)) }
    package init(_ number: (some BinaryInteger)?) { self = number.map { .integer(Int64(clamping: $0)) } ?? .null }
    package init(_ value: Timestamp) { self = .integer(value.milliseconds) }

    /// A map with integer keys, in ascending order.
    package static func integerMap(_ entries: some Sequence<(key: Int64, value: JSONValue)>) -> JSONValue {
        .object(entries.sorted { $0.key < $1.key }.map { Member(.integer($0.key), $0.value) })
    }

    /// A map with text keys, in ascending order.
    package static func textMap(_ entries: some Sequence<(key: String, value: JSONValue)>) -> JSONValue {
        .object(entries.sorted { $0.key < $1.key }.map { Member(.text($0.key), $0.value) })
    }
}

// MARK: - Looking

extension JSONValue {
    /// The members of an object; none for everything else.
    package var members: [Member] {
        if case .object(let members) = self { members } else { [] }
    }

    package var elements: [JSONValue] {
        if case .array(let elements) = self { elements } else { [] }
    }

    /// The last member of that name, as fastjson has it; nil when it is absent or null.
    package subscript(name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        let found = members.last { if case .text(let text) = $0.key { text == name } else { false } }
        guard let value = found?.value, value != .null else { return nil }
        return value
    }

    /// Text as it is; numbers and booleans as text, as fastjson converts them.
    package var text: String? {
        switch self {
        case .string(let text): text
        case .integer(let number): String(number)
        case .double(let number): String(number)
        case .bool(let value): value ? "true" : "false"
        default: nil
        }
    }

    /// A number, or text that is one.
    package var integer: Int64? {
        switch self {
        case .integer(let number): number
        case .double(let number): Int64(exactly: number.rounded(.towardZero))
        case .string(let text): Int64(text)
        default: nil
        }
    }

    package var double: Double? {
        switch self {
        case .integer(let number): Double(number)
        case .double(let number): number
        case .string(let text): Double(text)
        default: nil
        }
    }

    package var bool: Bool? {
        switch self {
        case .bool(let value): value
        case .string(let text): text.lowercased() == "true"
        case .integer(let number): number != 0
        default: nil
        }
    }
}
