package import Logging
import Synchronization

/// A log handler that keeps what is logged from a level on: the newest lines, at most some thousand.
package final class LogLines: LogHandler, Sendable {
    private static let limit = 4096
    private let least: Logger.Level
    private let hasMetadata: Bool
    private let lines = Mutex<[String]>([])

    /// - Parameter withMetadata: whether the keys and values of a line stand behind it, by key.
    package init(from least: Logger.Level = .warning, withMetadata: Bool = false) {
        self.least = least
        hasMetadata = withMetadata
    }

    package var all: [String] { lines.withLock { $0 } }

    package var logger: Logger { Logger(label: "test") { _ in self } }

    package func log(event: LogEvent) {
        guard event.level >= least else { return }
        let metadata = hasMetadata ? (event.metadata ?? [:]).sorted { $0.key < $1.key } : []
        let line = ([event.message.description] + metadata.map { "\($0.key)=\($0.value)" }).joined(separator: " ")
        lines.withLock { lines in
            if lines.count >= Self.limit { lines.removeFirst(Self.limit / 2) }
            lines.append(line)
        }
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }

    package var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }

    package var logLevel: Logger.Level {
        get { least }
        set {}
    }
}
