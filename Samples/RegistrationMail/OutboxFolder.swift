public import Foundation

/// A folder into which mails and short messages are written instead of being sent: for development and for tests.
///
/// File names come from the numbers of effects, never from what users typed. A repetition replaces its file.
public struct OutboxFolder: Sendable {
    public let url: URL

    /// Makes the folder when it is missing.
    public init(_ url: URL) throws {
        self.url = url
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    func file(_ id: Int64, ending: String) -> URL { url.appending(path: "welcome-\(id).\(ending)") }

    func write(_ text: String, to file: URL) -> AttemptResult {
        do {
            // Under another name first: nobody reads half a mail.
            try Data(text.utf8).write(to: file, options: .atomic)
            return .sent
        } catch {
            return .failed("\(file.path()) cannot be written: \(error.localizedDescription)")
        }
    }
}
