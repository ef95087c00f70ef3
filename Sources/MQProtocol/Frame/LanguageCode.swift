/// The programming language of a sender, as frames carry it.
///
/// We announce ``other``: Java peers turn names they do not know into null and then refuse some requests.
package struct LanguageCode: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    package static let java = LanguageCode(rawValue: 0)
    package static let cpp = LanguageCode(rawValue: 1)
    package static let dotnet = LanguageCode(rawValue: 2)
    package static let python = LanguageCode(rawValue: 3)
    package static let delphi = LanguageCode(rawValue: 4)
    package static let erlang = LanguageCode(rawValue: 5)
    package static let ruby = LanguageCode(rawValue: 6)
    package static let other = LanguageCode(rawValue: 7)
    package static let http = LanguageCode(rawValue: 8)
    package static let go = LanguageCode(rawValue: 9)
    package static let php = LanguageCode(rawValue: 10)
    package static let oms = LanguageCode(rawValue: 11)
    package static let rust = LanguageCode(rawValue: 12)
    package static let nodeJS = LanguageCode(rawValue: 13)
    /// The sender gave a name that nobody assigned. Never written: lists leave the member out instead.
    package static let unknown = LanguageCode(rawValue: 255)

    private static let names = [
        "JAVA", "CPP", "DOTNET", "PYTHON", "DELPHI", "ERLANG", "RUBY", "OTHER", "HTTP", "GO", "PHP", "OMS", "RUST",
        "NODE_JS",
    ]

    /// The name in JSON; nil for numbers that nobody assigned.
    package var name: String? {
        Int(rawValue) < Self.names.count ? Self.names[Int(rawValue)] : nil
    }

    /// ``unknown`` when no language has this name.
    package init(name: String) {
        self.init(rawValue: Self.names.firstIndex(of: name).map(UInt8.init) ?? Self.unknown.rawValue)
    }
}

extension LanguageCode: CustomStringConvertible {
    package var description: String {
        name ?? String(rawValue)
    }
}

/// Ordinals in RocketMQ's list of releases: what `version` of a frame means.
package enum ProtocolVersion {
    /// V4_9_8, what every frame of ours announces.
    package static let current: Int32 = 409
    package static let name = "V4_9_8"
    /// From here on a broker registers with a whole body instead of the bare topic table.
    package static let registerBrokerBody: Int32 = 37
    /// The oldest client that understands an offset reset (220, 221).
    package static let resetOffset: Int32 = 28
    /// The oldest client that answers 307 and 309.
    package static let consumerRunningInfo: Int32 = 62
    /// From here on a broker honours `maxReconsumeTimes` of a send-back.
    package static let maximumReconsumeTimes: Int32 = 121
    /// From here on (4.9.4) clients get routes as standard JSON without asking.
    package static let standardRouteJSON: Int32 = 401
    package static let v5: Int32 = 413
}
