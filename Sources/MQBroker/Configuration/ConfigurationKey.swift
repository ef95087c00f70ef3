import MQProtocol

/// One key of RocketMQ's properties file: how it reads, what it changes here, and whether requests may change it.
struct ConfigurationKey: Sendable {
    enum Effect: Sendable {
        /// Sets a member of the configuration.
        case acts(
            read: @Sendable (BrokerConfiguration) -> String,
            write: @Sendable (inout BrokerConfiguration, String) throws(Mismatch) -> Void
        )
        /// Understood and kept, but changes nothing here. `standard` is RocketMQ's default.
        case inert(standard: String, check: @Sendable (String) throws(Mismatch) -> Void)
    }

    /// Why a value was not taken.
    struct Mismatch: Error, Sendable {
        var code = ConfigurationError.Code.invalidValue
        var wanted: String
    }

    var name: String
    var effect: Effect
    /// Shown by `-m`.
    var isImportant = false
    /// Request 25 may change it, and the change takes effect at once.
    var isMutable = false

    var important: ConfigurationKey {
        var copy = self
        copy.isImportant = true
        return copy
    }

    var mutable: ConfigurationKey {
        var copy = self
        copy.isMutable = true
        return copy
    }

    func value(in configuration: BrokerConfiguration) -> String {
        switch effect {
        case .acts(let read, _): read(configuration)
        case .inert(let standard, _): configuration.inertValues[name] ?? standard
        }
    }

    func apply(_ value: String, to configuration: inout BrokerConfiguration) throws(Mismatch) {
        switch effect {
        case .acts(_, let write):
            try write(&configuration, value)
        case .inert(_, let check):
            try check(value)
            configuration.inertValues[name] = value
        }
    }
}

// MARK: Kinds of keys that act

extension ConfigurationKey {
    typealias Path<Value> = any WritableKeyPath<BrokerConfiguration, Value> & Sendable

    static func text(_ name: String, _ path: Path<String>, allowsEmpty: Bool = false) -> ConfigurationKey {
        ConfigurationKey(
            name: name,
            effect: .acts(read: { $0[keyPath: path] }) { configuration, value throws(Mismatch) in
                guard allowsEmpty || !value.isEmpty else { throw Mismatch(wanted: "a text that is not empty") }
                configuration[keyPath: path] = value
            })
    }

    /// A text whose absence means something of its own.
    static func optionalText(_ name: String, _ path: Path<String?>) -> ConfigurationKey {
        ConfigurationKey(
            name: name,
            effect: .acts(read: { $0[keyPath: path] ?? "" }) { configuration, value in
                configuration[keyPath: path] = value.isEmpty ? nil : value
            })
    }

    static func boolean(_ name: String, _ path: Path<Bool>) -> ConfigurationKey {
        ConfigurationKey(
            name: name,
            effect: .acts(read: { "\($0[keyPath: path])" }) { configuration, value throws(Mismatch) in
                configuration[keyPath: path] = try parseBoolean(value)
            })
    }

    static func integer<Value: FixedWidthInteger & Sendable>(
        _ name: String, _ path: Path<Value>, _ range: ClosedRange<Value>
    ) -> ConfigurationKey {
        ConfigurationKey(
            name: name,
            effect: .acts(read: { "\($0[keyPath: path])" }) { configuration, value throws(Mismatch) in
                configuration[keyPath: path] = try parseInteger(value, range)
            })
    }

    static func milliseconds(
        _ name: String, _ path: Path<Duration>, _ range: ClosedRange<Int64>
    ) -> ConfigurationKey {
        duration(name, path, range, unit: 1)
    }

    /// `unit` is in milliseconds.
    static func duration(
        _ name: String, _ path: Path<Duration>, _ range: ClosedRange<Int64>, unit: Int64
    ) -> ConfigurationKey {
        ConfigurationKey(
            name: name,
            effect: .acts(read: { "\($0[keyPath: path].wholeMilliseconds / unit)" }) {
                configuration, value throws(Mismatch) in
                configuration[keyPath: path] = .milliseconds(try parseInteger(value, range) * unit)
            }
        )
    }

    static func parseBoolean(_ value: String) throws(Mismatch) -> Bool {
        switch value.lowercased() {
        case "true": return true
        case "false": return false
        default: throw Mismatch(wanted: "true or false")
        }
    }

    static func parseInteger<Value: FixedWidthInteger & Sendable>(
        _ value: String, _ range: ClosedRange<Value>
    ) throws(Mismatch) -> Value {
        guard let number = Value(value), range.contains(number) else {
            throw Mismatch(wanted: "a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }
}

// MARK: Keys that change nothing here

extension ConfigurationKey {
    static func inert(text name: String, _ standard: String = "") -> ConfigurationKey {
        ConfigurationKey(name: name, effect: .inert(standard: standard, check: { _ in }))
    }

    static func inert(boolean name: String, _ standard: Bool) -> ConfigurationKey {
        ConfigurationKey(
            name: name,
            effect: .inert(standard: "\(standard)") { value throws(Mismatch) in
                _ = try parseBoolean(value)
            })
    }

    static func inert(number name: String, _ standard: Int64) -> ConfigurationKey {
        ConfigurationKey(
            name: name,
            effect: .inert(standard: "\(standard)") { value throws(Mismatch) in
                _ = try parseInteger(value, Int64.min...Int64.max)
            })
    }

    /// Only `false` is accepted: going on as if the key said so would be unsafe. `why` completes the sentence.
    static func refused(boolean name: String, why: String) -> ConfigurationKey {
        ConfigurationKey(
            name: name,
            effect: .inert(standard: "false") { value throws(Mismatch) in
                guard try parseBoolean(value) else { return }
                throw Mismatch(code: .unsupported, wanted: "false: \(why)")
            })
    }
}
