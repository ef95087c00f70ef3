import MQProtocol

/// Values by namespace and key, which administrators set.
extension NameServerRequests {
    /// PUT_KV_CONFIG (100).
    func putValue(_ request: Frame) throws -> Answer {
        let header = try namespaceAndKey(request)
        guard let value = header.value else {
            throw Refusal(code: .systemError, remark: "value is null")
        }
        try registry.keyValues.change { $0.put(namespace: header.namespace, key: header.key, value: value) }
        return Answer()
    }

    /// GET_KV_CONFIG (101).
    func getValue(_ request: Frame) throws -> Answer {
        let header = try KeyValueHeader(request.fields)
        guard let value = registry.keyValues.current.value(namespace: header.namespace, key: header.key) else {
            let remark = "No config item, Namespace: \(header.namespace) Key: \(header.key)"
            return Answer(code: .queryNotFound, remark: remark, header: KeyValueResponseHeader())
        }
        return Answer(header: KeyValueResponseHeader(value: value))
    }

    /// DELETE_KV_CONFIG (102).
    func deleteValue(_ request: Frame) throws -> Answer {
        let header = try namespaceAndKey(request)
        try registry.keyValues.change { $0.delete(namespace: header.namespace, key: header.key) }
        return Answer()
    }

    /// GET_KVLIST_BY_NAMESPACE (219).
    func listValues(_ request: Frame) throws -> Answer {
        let namespace = try NamespaceHeader(request.fields).namespace
        guard let values = registry.keyValues.current.values(namespace: namespace) else {
            throw Refusal(code: .queryNotFound, remark: "No config item, Namespace: \(namespace)")
        }
        return Answer(body: KVTable(table: values).encode())
    }

    private func namespaceAndKey(_ request: Frame) throws -> KeyValueHeader {
        do {
            return try KeyValueHeader(request.fields)
        } catch {
            throw Refusal(code: .systemError, remark: "namespace or key is null")
        }
    }
}
