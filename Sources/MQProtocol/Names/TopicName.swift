/// The rules for topic names, and the names derived from a consumer group's.
package enum TopicName {
    package static let retryPrefix = "%RETRY%"
    package static let deadLetterPrefix = "%DLQ%"
    package static let lightQueuePrefix = "%LMQ%"
    package static let maximumLength = 127

    /// Where messages that a group sent back wait to be delivered to it again.
    package static func retry(group: String) -> String { retryPrefix + group }

    /// Where messages end that a group could not consume.
    package static func deadLetter(group: String) -> String { deadLetterPrefix + group }

    package static func isRetry(_ topic: String) -> Bool { topic.utf8.starts(with: retryPrefix.utf8) }

    package static func isDeadLetter(_ topic: String) -> Bool { topic.utf8.starts(with: deadLetterPrefix.utf8) }

    /// The group whose retry or dead-letter topic this is.
    package static func group(of topic: String) -> String? {
        if isRetry(topic) { return String(topic.dropFirst(retryPrefix.count)) }
        if isDeadLetter(topic) { return String(topic.dropFirst(deadLetterPrefix.count)) }
        return nil
    }

    /// What is wrong with a topic's name, in the words stock brokers answer with; nil when it may be used.
    package static func remark(refusing topic: String) -> String? {
        if isBlank(topic) { return "The specified topic is blank." }
        if !topic.utf8.allSatisfy(isAllowed) {
            return "The specified topic contains illegal characters, allowing only ^[%|a-zA-Z0-9_-]+$"
        }
        if topic.utf8.count > maximumLength { return "The specified topic is longer than topic max length." }
        return nil
    }

    /// The answer to an attempt to create or delete one of the broker's own topics.
    package static func conflictRemark(_ topic: String) -> String {
        "The topic[\(topic)] is conflict with system topic."
    }

    static func isBlank(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy(\.properties.isWhitespace)
    }

    static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        case UInt8(ascii: "%"), UInt8(ascii: "|"), UInt8(ascii: "-"), UInt8(ascii: "_"): true
        default: false
        }
    }
}
