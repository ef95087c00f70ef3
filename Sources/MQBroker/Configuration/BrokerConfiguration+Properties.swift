public import MQProtocol

/// What a properties file contained that a person should hear about.
public struct PropertiesReport: Sendable, Equatable {
    /// RocketMQ's keys that change nothing here, in the order of the file.
    public var inertKeys: [String] = []
    /// Keys that RocketMQ does not have either.
    public var unknownKeys: [String] = []
    /// Lines that probably do not say what was meant.
    public var warnings: [String] = []

    public init() {}

    /// One line each, none when there is nothing to say.
    public var lines: [String] {
        var lines = warnings
        if !inertKeys.isEmpty { lines.append("accepted without effect here: " + inertKeys.joined(separator: ", ")) }
        if !unknownKeys.isEmpty { lines.append("not RocketMQ's keys, ignored: " + unknownKeys.joined(separator: ", ")) }
        return lines
    }
}

extension BrokerConfiguration {
    /// Takes over what the file says; keys that it does not name keep their values.
    ///
    /// - Throws: ``ConfigurationError`` for the first value that cannot be used, naming key, value, file and line. The
    ///   configuration is unchanged then.
    public mutating func apply(
        _ file: PropertiesFile, named name: String
    ) throws(ConfigurationError) -> PropertiesReport {
        var copy = self
        var report = PropertiesReport()
        report.warnings = file.warnings.map { "\(name), \($0)" }
        for entry in file.entries {
            guard let key = ConfigurationKeys.find(entry.key) else {
                report.unknownKeys.append(entry.key)
                continue
            }
            if case .inert = key.effect { report.inertKeys.append(entry.key) }
            do {
                try key.apply(entry.value, to: &copy)
            } catch {
                let place = "\(name), line \(entry.line)"
                throw ConfigurationError(
                    error.code, "\(place): \(entry.key)=\(entry.value): this must be \(error.wanted)")
            }
        }
        try copy.settleRole()
        self = copy
        return report
    }

    /// A master's id is 0 whatever the file says; a slave must have another.
    private mutating func settleRole() throws(ConfigurationError) {
        guard role == .slave else {
            brokerID = 0
            return
        }
        guard brokerID > 0 else {
            throw ConfigurationError(
                .contradiction, "Slave's brokerId must be > 0: brokerId=\(brokerID) with brokerRole=SLAVE")
        }
    }

    /// Takes the list of name servers as it stands behind `-n`.
    public mutating func setNameServers(_ text: String) throws(ConfigurationError) {
        do {
            nameServers = try ConfigurationKey.parseNameServers(text)
        } catch {
            throw ConfigurationError(
                .invalidValue,
                "The Name Server Address[\(text)] illegal, please set it as follows, "
                    + "\"127.0.0.1:9876;192.168.0.1:9876\""
            )
        }
    }

    /// Every key with its value, one `key=value` line each, in a fixed order.
    ///
    /// - Parameter importantOnly: only those that `-m` lists.
    public func propertiesText(importantOnly: Bool = false) -> String {
        var file = PropertiesFile()
        for key in ConfigurationKeys.all where key.isImportant || !importantOnly {
            file[key.name] = key.value(in: self)
        }
        return file.text
    }
}
