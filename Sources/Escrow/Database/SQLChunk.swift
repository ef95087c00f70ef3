/// Many values for one statement: so many at once that the statement's own cost is shared.
enum SQLChunk {
    private static let size = 16

    static let placeholders = Array(repeating: "?", count: size).joined(separator: ",")

    /// Calls `body` with as many values as there are placeholders; the last one fills up.
    static func forEach<Value>(_ values: [Value], _ body: ([Value]) throws -> Void) rethrows {
        for first in stride(from: 0, to: values.count, by: size) {
            let chunk = values[first..<min(first + size, values.count)]
            guard let last = chunk.last else { return }
            try body(chunk + Array(repeating: last, count: size - chunk.count))
        }
    }
}
