import Foundation

/// The text of a welcome mail, as RFC 5322 wants it.
///
/// Names and addresses come from the wire: what could end a header line is not let in.
enum Mail {
    /// - Parameters:
    ///   - effect: its id makes the Message-ID, so that a repetition can be told.
    ///   - date: of the attempt, in RFC 5322's form.
    static func welcome(_ effect: Effect, from sender: String, date: String) -> String {
        let domain = sender.split(separator: "@").last.map(String.init) ?? "localhost"
        return [
            "Date: \(date)",
            "From: \(sender)",
            "To: \(headerText(effect.name)) <\(effect.address)>",
            "Subject: Welcome",
            "Message-ID: <welcome-\(effect.id)@\(domain)>",
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: base64",
            "",
            base64Lines("Hello \(effect.name),\r\n\r\nwelcome! Your account is \(effect.address).\r\n"),
            "",
        ].joined(separator: "\r\n")
    }

    /// Plain ASCII in quotes; anything else as an encoded word (RFC 2047).
    static func headerText(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { (0x20...0x7E).contains($0) && $0 != 0x22 && $0 != 0x5C }
        if isPlain { return "\"\(text)\"" }
        // An encoded word has at most 75 characters: 39 bytes make 52, and no character is cut in two.
        var words: [String] = []
        var word: [UInt8] = []
        for character in text.unicodeScalars {
            let bytes = Array(String(character).utf8)
            if word.count + bytes.count > 39 {
                words.append(encodedWord(word))
                word.removeAll()
            }
            word += bytes
        }
        words.append(encodedWord(word))
        return words.joined(separator: "\r\n ")
    }

    private static func encodedWord(_ bytes: [UInt8]) -> String { "=?utf-8?B?\(Data(bytes).base64EncodedString())?=" }

    private static func base64Lines(_ text: String) -> String {
        let encoded = Array(Data(text.utf8).base64EncodedString().utf8)
        return stride(from: 0, to: encoded.count, by: 76)
            .map { String(decoding: encoded[$0..<min($0 + 76, encoded.count)], as: UTF8.self) }
            .joined(separator: "\r\n")
    }

    /// What can be written to: one `@`, something on both sides, printable ASCII without blanks and brackets, and not
    /// what a command would take for an option.
    static func isAddress(_ text: String) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty, text.utf8.count <= 200 else { return false }
        guard text.utf8.first != UInt8(ascii: "-") else { return false }
        let forbidden = Set("\"\\<>()[],;:".utf8)
        return text.utf8.allSatisfy { (0x21...0x7E).contains($0) && !forbidden.contains($0) }
    }
}
