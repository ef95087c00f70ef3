import MQProtocol
import NIOCore

/// The content of RocketMQ's `kvConfig.json`.
extension KeyValueTable {
    private static let tableKey = "configTable"

    /// - Returns: `nil` when the text is no such table.
    init?(decoding content: ByteBuffer) {
        guard let root = try? JSONReader.parse(content), case .object = root else { return nil }
        guard let table = root[Self.tableKey] else {
            self.init()
            return
        }
        guard case .object(let members) = table else { return nil }
        var namespaces: [String: [String: String]] = [:]
        for namespace in members {
            guard case .object(let entries) = namespace.value else { return nil }
            for entry in entries {
                guard case .string(let text) = entry.value else { return nil }
                namespaces[namespace.key.text, default: [:]][entry.key.text] = text
            }
        }
        self.init(namespaces: namespaces)
    }

    /// Sorted, so that equal tables make equal files.
    func encode() -> ByteBuffer {
        let table = namespaces.map { namespace, values in
            (key: namespace, value: JSONValue.textMap(values.map { (key: $0.key, value: .string($0.value)) }))
        }
        return JSONWriter.pretty([Self.tableKey: .textMap(table)])
    }
}
