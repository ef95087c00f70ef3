import Foundation
import MQProtocol

/// Times as people read them.
enum Moment {
    /// In UTC: `2026-11-26 12:00:00.123`.
    static func text(_ time: Timestamp) -> String {
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.timeZone = TimeZone(secondsFromGMT: 0)
        format.dateFormat = "yyyy-MM-dd HH:mm:ss.SSS"
        return format.string(from: Date(timeIntervalSince1970: Double(time.milliseconds) / 1000))
    }

    /// `in 25 min` or `3 s ago`.
    static func relative(_ time: Timestamp, now: Timestamp) -> String {
        let seconds = now.duration(to: time).components.seconds
        let text = length(abs(seconds))
        return seconds < 0 || time < now ? "\(text) ago" : "in \(text)"
    }

    private static func length(_ seconds: Int64) -> String {
        switch seconds {
        case ..<120: "\(seconds) s"
        case ..<7200: "\(seconds / 60) min"
        case ..<172_800: "\(seconds / 3600) h"
        default: "\(seconds / 86_400) days"
        }
    }
}
