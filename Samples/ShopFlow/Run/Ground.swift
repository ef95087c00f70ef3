import MQClient
import MQProtocol
import OrderService

/// What has to be there before the first message: brokers, and the topics of the store.
struct Ground: Sendable {
    let client: MQClient
    let nameServers: NameServerAddresses
    let namespace: String

    /// Of each topic, at each broker. A queue is handled one batch at a time.
    private static let queues: Int32 = 4

    private var topics: [String] {
        Checks.topics.union(["\(OrderService.name)-deadlines"]).sorted().map { "\(namespace)%\($0)" }
    }

    /// Names of the brokers.
    ///
    /// - Throws: ``FlowError/Code/brokerUnreachable``.
    func brokers() async throws(FlowError) -> [String] {
        let brokers = try await topology().brokersByName.keys.sorted()
        guard !brokers.isEmpty else {
            throw FlowError(.brokerUnreachable, "No broker is registered at \(nameServers): start mqbroker there.")
        }
        return brokers
    }

    /// Makes topics that are missing, so that consumers find them at once. Where clients may not do that, the brokers
    /// have to make them with the first message.
    ///
    /// - Throws: ``FlowError/Code/topicsMissing``, ``FlowError/Code/brokerUnreachable``.
    func prepareTopics() async throws(FlowError) {
        let missing = try await missingTopics()
        guard !missing.isEmpty else { return }
        let masters = try await topology().brokersByName.values.compactMap(\.master).sorted()
        do throws(MQClientError) {
            for topic in missing {
                let configuration = TopicConfiguration(
                    name: topic, readQueues: Self.queues, writeQueues: Self.queues)
                for master in masters { try await client.createTopic(configuration, onBroker: master) }
            }
        } catch {
            if try await isThere(SystemTopic.autoCreate) { return }
            throw FlowError(
                .topicsMissing,
                "The brokers of \(nameServers) create no topics by themselves and let nobody create them (\(error)): "
                    + "set autoCreateTopicEnable=true, or create these with mqadmin updateTopic: "
                    + missing.joined(separator: " "))
        }
    }

    private func missingTopics() async throws(FlowError) -> [String] {
        var missing: [String] = []
        for topic in topics {
            if try await !isThere(topic) { missing.append(topic) }
        }
        return missing
    }

    private func isThere(_ topic: String) async throws(FlowError) -> Bool {
        do throws(MQClientError) {
            _ = try await client.topicRoute(topic)
            return true
        } catch {
            if error.code == .topicNotFound { return false }
            throw FlowError(.brokerUnreachable, "\(error)")
        }
    }

    private func topology() async throws(FlowError) -> ClusterTopology {
        do throws(MQClientError) {
            return try await client.clusterTopology()
        } catch {
            throw FlowError(.brokerUnreachable, "\(error)")
        }
    }
}
