import Foundation
import MQClient
import MQProtocol
import NIOCore

/// A message with everything known of it.
enum MessageDetail {
    /// Prints the message, writes its body to a file, and says which consumer groups had it.
    static func show(_ message: ReceivedMessage, client: MQClient) async throws {
        let path = try writeBody(message)
        let rows: [(String, String)] = [
            ("OffsetID:", message.offsetMessageID),
            ("Topic:", message.topic),
            ("Tags:", "[\(message.tag ?? "null")]"),
            ("Keys:", "[\(message.properties["KEYS"] ?? "null")]"),
            ("Queue ID:", String(message.queueID)),
            ("Queue Offset:", String(message.queueOffset)),
            ("CommitLog Offset:", String(message.logOffset)),
            ("Reconsume Times:", String(message.reconsumeTimes)),
            ("Born Timestamp:", message.bornTimestamp.localText),
            ("Store Timestamp:", message.storeTimestamp.localText),
            ("Born Host:", message.bornHost),
            ("Store Host:", message.storeHost),
            ("System Flag:", String(message.systemFlag)),
            ("Properties:", properties(message)),
            ("Message Body Path:", path),
        ]
        Console.print(rows.map { $0.0.padded(to: 20) + " " + $0.1 }.joined(separator: "\n"))
        Console.print("")
        await showTracks(message, client: client)
    }

    static func properties(_ message: ReceivedMessage) -> String {
        let items = message.properties.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        return "{\(items.joined(separator: ", "))}"
    }

    /// One line of a message, as the printing commands show it.
    static func line(_ message: ReceivedMessage, showsBody: Bool) -> String {
        let body = showsBody ? message.text : "NOT PRINT BODY"
        return
            "MSGID: \(message.messageID) MessageExt [queueId=\(message.queueID), queueOffset=\(message.queueOffset), "
            + "bornTimestamp=\(message.bornTimestamp.milliseconds), "
            + "storeTimestamp=\(message.storeTimestamp.milliseconds), "
            + "reconsumeTimes=\(message.reconsumeTimes), topic=\(message.topic), "
            + "properties=\(properties(message))] BODY: \(body)"
    }

    private static func writeBody(_ message: ReceivedMessage) throws -> String {
        let directory = URL(fileURLWithPath: "/tmp/rocketmq/msgbodys")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        // The id is the producer's text: nothing but letters and digits may become part of a path.
        let name = message.messageID.filter { $0.isASCII && ($0.isLetter || $0.isNumber) }
        let file = directory.appendingPathComponent(String(name.prefix(64)))
        try Data(message.body.readableBytesView).write(to: file)
        return file.path
    }

    private static func showTracks(_ message: ReceivedMessage, client: MQClient) async {
        do {
            let tracks = try await client.tracks(of: message)
            guard !tracks.isEmpty else {
                Console.print("WARN: No Consumer")
                return
            }
            for track in tracks {
                Console.print("MessageTrack [consumerGroup=\(track.group), trackType=\(track.state.rawValue)]")
            }
        } catch {
            Console.print("WARN: No Consumer (\(error))")
        }
    }
}
