/// The names of releases, by their ordinals on the wire.
enum ProtocolVersionName {
    static func text(_ ordinal: Int32) -> String {
        switch ordinal {
        case 393...411: "V4_9_\((ordinal - 393) / 2)"
        case 413: "V5_0_0"
        default: String(ordinal)
        }
    }
}
