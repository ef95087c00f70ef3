import ArgumentParser
import Foundation
import MQProtocol

/// A point in time on the command line: `now`, milliseconds since 1970, or `yyyy-MM-dd#HH:mm:ss:SSS` in local time.
struct TimeArgument: ExpressibleByArgument, Sendable {
    /// Nil for `now` and RocketMQ's number for it, -1.
    let timestamp: Timestamp?

    init?(argument: String) {
        if argument == "now" || argument == "-1" {
            timestamp = nil
        } else if let milliseconds = Int64(argument) {
            timestamp = Timestamp(milliseconds: milliseconds)
        } else if let date = Self.formatter("yyyy-MM-dd#HH:mm:ss:SSS").date(from: argument) {
            timestamp = Timestamp(milliseconds: Int64((date.timeIntervalSince1970 * 1000).rounded()))
        } else {
            return nil
        }
    }

    fileprivate static func formatter(_ format: String) -> DateFormatter {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.dateFormat = format
        return formatter
    }
}

extension Timestamp {
    /// `2026-11-21 14:05:09,250` in local time, as RocketMQ's tools print it.
    var localText: String {
        let date = Date(timeIntervalSince1970: Double(milliseconds) / 1000)
        return TimeArgument.formatter("yyyy-MM-dd HH:mm:ss,SSS").string(from: date)
    }
}
