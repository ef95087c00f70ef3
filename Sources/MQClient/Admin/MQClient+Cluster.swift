import MQProtocol
import NIOCore

extension MQClient {
    /// The clusters and brokers that the name servers know.
    public func clusterTopology() async throws(MQClientError) -> ClusterTopology {
        let (answer, address) = try await askNameServers(.getBrokerClusterInfo)
        guard answer.responseCode == .success else { throw MQClientError(refusal: answer, address: address) }
        return ClusterTopology(try ClusterInfo.decode(answer.body, "cluster information", from: address))
    }

    /// A broker's runtime figures, by RocketMQ's names.
    public func runtimeInformation(ofBroker address: String) async throws(MQClientError) -> [String: String] {
        let answer = try await successfulRequest(to: address, .getBrokerRuntimeInfo)
        return try KVTable.decode(answer.body, "runtime information", from: address).table
    }

    /// A value kept by the name servers; nil when there is none.
    public func value(namespace: String, key: String) async throws(MQClientError) -> String? {
        let (answer, address) = try await askNameServers(
            .getKVConfig, header: KeyValueHeader(namespace: namespace, key: key))
        switch answer.responseCode {
        case .success: return answer.fields.string("value")
        case .queryNotFound: return nil
        default: throw MQClientError(refusal: answer, address: address)
        }
    }

    /// Sets a value at every name server.
    public func setValue(_ value: String, namespace: String, key: String) async throws(MQClientError) {
        try await atEveryNameServer(
            .putKVConfig, header: KeyValueHeader(namespace: namespace, key: key, value: value))
    }

    /// Removes a value at every name server.
    public func removeValue(namespace: String, key: String) async throws(MQClientError) {
        try await atEveryNameServer(.deleteKVConfig, header: KeyValueHeader(namespace: namespace, key: key))
    }
}
