/// Values by namespace and key.
struct KeyValueTable: Equatable {
    /// Ordered topics: key = topic, value = `brokerName:queueCount` items joined with `;`.
    static let orderTopicNamespace = "ORDER_TOPIC_CONFIG"

    private(set) var namespaces: [String: [String: String]] = [:]

    init(namespaces: [String: [String: String]] = [:]) {
        self.namespaces = namespaces.filter { !$0.value.isEmpty }
    }

    func value(namespace: String, key: String) -> String? {
        namespaces[namespace]?[key]
    }

    /// - Returns: `nil` when there is no such namespace.
    func values(namespace: String) -> [String: String]? {
        namespaces[namespace]
    }

    mutating func put(namespace: String, key: String, value: String) {
        namespaces[namespace, default: [:]][key] = value
    }

    mutating func delete(namespace: String, key: String) {
        namespaces[namespace]?[key] = nil
        // A namespace lives as long as something is in it: stock keeps an empty one until its next start.
        if namespaces[namespace]?.isEmpty == true {
            namespaces[namespace] = nil
        }
    }
}
