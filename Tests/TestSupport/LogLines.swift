package import Logging
import Synchronization

/// A log handler that keeps what is logged from a level on: the newest lines, at most some thousand.
package final class LogLines: LogHandler, Sendable {
    private static let limit = 4096
    private let least: Logger.Level
    private let lines = Mutex<[String]>([])

    package init(from least: Logger.Level = .warning) {
        self.least = least
    }

    package var all: [String] { lines.withLock { $0 } }

    package var logger: Logger { Logger(label: "test") { _ in self } }

    package func log(event: LogEvent) {
        guard event.level >= least else { return }
        lines.withLock { lines in
            if lines.count >= Self.limit { lines.removeFirst(Self.limit / 2) }
            lines.append(event.message.description)
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
