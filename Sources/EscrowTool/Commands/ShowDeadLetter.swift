import ArgumentParser
import Escrow
import Foundation
import MQProtocol

/// An id as the list shows it: `orders/17`.
struct LetterID {
    let service: String
    let number: Int64

    init(parsing text: String) throws {
        guard let slash = text.lastIndex(of: "/"), let number = Int64(text[text.index(after: slash)...]) else {
            throw ValidationError("\(text) is no id of a dead letter: the list shows them, such as orders/17.")
        }
        service = String(text[..<slash])
        self.number = number
    }
}

struct ShowDeadLetter: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show everything that is kept of one letter, its message too.")

    @Argument(help: "Its id as the list shows it, such as orders/17.")
    var id: String

    @OptionGroup var options: StoreOptions

    func validate() throws {
        _ = try LetterID(parsing: id)
    }

    func run() async throws {
        let wanted = try LetterID(parsing: id)
        guard let file = try await options.files().first(where: { $0.name == wanted.service }) else {
            throw ValidationError("There is no service \(wanted.service) in \(options.store).")
        }
        guard let letter = try await file.inspection.deadLetter(wanted.number) else {
            throw WorkFailed(message: "there is no letter \(id): it was never there, or is purged")
        }
        let lines = fields(of: letter)
        guard options.json else {
            let width = lines.map(\.name.count).max() ?? 0
            return Console.print(
                lines.map { name, value in
                    name + String(repeating: " ", count: width - name.count) + "  " + value
                }.joined(separator: "\n"))
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let object = Dictionary(uniqueKeysWithValues: lines)
        Console.print(String(decoding: try encoder.encode(object), as: UTF8.self))
    }

    private func fields(of letter: DeadLetter) -> [(name: String, value: String)] {
        var fields = [
            ("id", id), ("state", letter.state.rawValue), ("consumer", letter.consumer), ("topic", letter.topic),
            ("event", letter.event), ("key", letter.idempotencyKey),
        ]
        if let order = letter.orderingKey { fields.append(("orderingKey", order)) }
        fields += [
            ("published", Moment.text(letter.born)), ("failed", Moment.text(letter.failed)),
            ("attempts", "\(letter.attempts)"), ("redrives", "\(letter.redrives)"), ("reason", letter.reason),
            ("bytes", "\(letter.body.count)"), ("body", Self.text(letter.body)),
        ]
        return fields
    }

    /// Bodies are JSON, or whatever their codec made.
    private static func text(_ body: Data) -> String {
        if let text = String(data: body, encoding: .utf8), text.unicodeScalars.allSatisfy({ $0.value >= 0x20 }) {
            return text
        }
        return "x'\(body.hexadecimal)'"
    }
}
