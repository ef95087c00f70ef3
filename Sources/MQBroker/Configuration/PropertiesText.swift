import MQProtocol

/// Edits the text of a properties file and leaves every line alone that it does not have to touch.
enum PropertiesText {
    /// The text with these values: where a key has lines, the last one is replaced and earlier ones are dropped; a new
    /// key is appended.
    static func setting(_ values: [(name: String, value: String)], in text: String) -> String {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if lines.last?.isEmpty == true { lines.removeLast() }
        for (name, value) in values {
            var file = PropertiesFile()
            file[name] = value
            let replacement = String(file.text.dropLast())
            let places = self.places(of: name, in: lines)
            guard let last = places.last else {
                lines.append(replacement)
                continue
            }
            lines.replaceSubrange(last, with: [replacement])
            for place in places.dropLast().reversed() { lines.removeSubrange(place) }
        }
        return lines.map { $0 + "\n" }.joined()
    }

    /// The natural lines of each entry of the key, under any of its spellings.
    private static func places(of name: String, in lines: [String]) -> [Range<Int>] {
        var places: [Range<Int>] = []
        var index = 0
        while index < lines.count {
            let start = index
            while isContinued(lines[index]), index + 1 < lines.count, !isComment(lines[start]) { index += 1 }
            index += 1
            let entry = PropertiesFile(parsing: lines[start..<index].joined(separator: "\n")).entries.first
            if let key = entry?.key, key == name || ConfigurationKeys.find(key)?.name == name {
                places.append(start..<index)
            }
        }
        return places
    }

    private static func isContinued(_ line: String) -> Bool {
        let content = line.hasSuffix("\r") ? line.dropLast() : Substring(line)
        return content.reversed().prefix { $0 == "\\" }.count % 2 == 1
    }

    private static func isComment(_ line: String) -> Bool {
        let first = line.unicodeScalars.first { !$0.properties.isWhitespace }
        return first == "#" || first == "!"
    }
}
