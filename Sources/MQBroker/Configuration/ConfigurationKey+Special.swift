import MQProtocol
import MQRemoting
import MQStore

/// Keys whose values have rules of their own.
extension ConfigurationKey {
    static func brokerRole(_ name: String) -> ConfigurationKey {
        ConfigurationKey(
            name: name,
            effect: .acts(read: { $0.role.rawValue }) { configuration, value throws(Mismatch) in
                guard let role = BrokerConfiguration.Role(rawValue: value) else {
                    throw Mismatch(wanted: "ASYNC_MASTER, SYNC_MASTER or SLAVE")
                }
                configuration.role = role
            })
    }

    static func flushDiskType(_ name: String) -> ConfigurationKey {
        ConfigurationKey(
            name: name,
            effect: .acts(read: { $0.storage.synchronousFlush ? "SYNC_FLUSH" : "ASYNC_FLUSH" }) {
                configuration, value throws(Mismatch) in
                switch value {
                case "SYNC_FLUSH": configuration.storage.synchronousFlush = true
                case "ASYNC_FLUSH": configuration.storage.synchronousFlush = false
                default: throw Mismatch(wanted: "SYNC_FLUSH or ASYNC_FLUSH")
                }
            }
        )
    }

    static func tlsMode(_ name: String) -> ConfigurationKey {
        ConfigurationKey(
            name: name,
            effect: .acts(read: { $0.network.tls.mode.rawValue }) { configuration, value throws(Mismatch) in
                guard let mode = ServerTLS.Mode(rawValue: value) else {
                    throw Mismatch(wanted: "disabled, permissive or enforcing")
                }
                configuration.network.tls.mode = mode
            })
    }

    static func useTLS(_ name: String) -> ConfigurationKey {
        ConfigurationKey(
            name: name,
            effect: .acts(read: { "\($0.registrationClient.tls.isEnabled)" }) {
                configuration, value throws(Mismatch) in
                configuration.registration.usesTLS = try parseBoolean(value)
            })
    }

    /// An empty text clears the list.
    static func textList(_ name: String, _ path: Path<[String]>, separator: Character) -> ConfigurationKey {
        ConfigurationKey(
            name: name,
            effect: .acts(read: { $0[keyPath: path].joined(separator: String(separator)) }) { configuration, value in
                configuration[keyPath: path] = value.split(separator: separator).map { trimmed($0) }.filter {
                    !$0.isEmpty
                }
            }
        )
    }

    static func nameServers(_ name: String) -> ConfigurationKey {
        ConfigurationKey(
            name: name,
            effect: .acts(read: { $0.nameServers.joined(separator: ";") }) { configuration, value throws(Mismatch) in
                configuration.nameServers = try parseNameServers(value)
            }
        )
    }

    static func parseNameServers(_ value: String) throws(Mismatch) -> [String] {
        let addresses = value.split(separator: ";").map { trimmed($0) }.filter { !$0.isEmpty }
        for address in addresses {
            guard let colon = address.lastIndex(of: ":"), colon != address.startIndex,
                let port = Int(address[address.index(after: colon)...]), (1...65_535).contains(port)
            else { throw Mismatch(wanted: "host:port;host:port, for example \"127.0.0.1:9876;192.168.0.1:9876\"") }
        }
        return addresses
    }

    /// The fast port lies two below, so the lowest are not usable; 0 lets the system choose.
    static func listenPort(_ name: String) -> ConfigurationKey {
        ConfigurationKey(
            name: name,
            effect: .acts(read: { "\($0.network.listenPort)" }) { configuration, value throws(Mismatch) in
                let port = try parseInteger(value, 0...65_534)
                guard port == 0 || port > 2 else {
                    throw Mismatch(wanted: "0, or a port above 2: the fast port is two below it")
                }
                configuration.network.listenPort = port
            }
        )
    }

    /// Rounded up to whole entries of 20 bytes, as RocketMQ does.
    static func queueSegmentBytes(_ name: String) -> ConfigurationKey {
        ConfigurationKey(
            name: name,
            effect: .acts(read: { "\($0.storage.queueSegmentBytes)" }) { configuration, value throws(Mismatch) in
                let bytes = try parseInteger(value, 20...2_000_000_000)
                configuration.storage.queueSegmentBytes = (bytes + 19) / 20 * 20
            }
        )
    }

    static func deleteHours(_ name: String) -> ConfigurationKey {
        ConfigurationKey(
            name: name,
            effect: .acts(read: { $0.storage.deleteHours.map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ";") })
            {
                configuration, value throws(Mismatch) in
                var hours: [Int] = []
                for part in value.split(separator: ";") { hours.append(try parseInteger(trimmed(part), 0...23)) }
                guard !hours.isEmpty else { throw Mismatch(wanted: "hours of the day from 00 to 23, separated by ;") }
                configuration.storage.deleteHours = hours
            }
        )
    }

    /// Clamped as RocketMQ does when it reads the value.
    static func diskUsePercent(_ name: String) -> ConfigurationKey {
        ConfigurationKey(
            name: name,
            effect: .acts(read: { "\($0.storage.diskUsePercent)" }) { configuration, value throws(Mismatch) in
                configuration.storage.diskUsePercent = min(95, max(10, try parseInteger(value, 0...100)))
            }
        )
    }

    static func delayLevels(_ name: String) -> ConfigurationKey {
        ConfigurationKey(
            name: name,
            effect: .acts(read: { $0.delayLevels }) { configuration, value throws(Mismatch) in
                guard DelayLevels(value) != nil else {
                    throw Mismatch(
                        wanted: "levels like \"1s 5s 10m 2h\": numbers with s, m, h or d, one space between them")
                }
                configuration.delayLevels = value
            })
    }

    static func trimmed(_ text: some StringProtocol) -> String {
        let scalars = text.unicodeScalars
        let start = scalars.drop { $0.properties.isWhitespace }
        return String(start.reversed().drop { $0.properties.isWhitespace }.reversed().map(Character.init))
    }
}
