import Logging
import MQProtocol
import NIOCore
import Synchronization

extension MQClient {
    /// Where a topic lives, as the name servers say now.
    ///
    /// - Throws: ``MQClientError`` with ``MQClientError/Code/topicNotFound``, whose message lists similar names, or
    ///   with ``MQClientError/Code/nameServersUnreachable``.
    public func topicRoute(_ topic: String) async throws(MQClientError) -> TopicRoute {
        try await refreshRoute(topic)
    }

    /// A route no older than the configuration allows; an older one while no name server answers, or while they do not
    /// know the topic: one that was just restarted knows nothing until the brokers have registered again.
    func route(_ topic: String) async throws(MQClientError) -> TopicRoute {
        let now = configuration.time.now()
        let age = configuration.routeRefreshInterval
        if let route = state.withLock({ $0.routes.fresh(topic, now: now, maximumAge: age) }) { return route }
        do {
            if let route = try await queryRoute(topic) {
                learn(topic, route)
                return route
            }
        } catch {
            guard error.code == .nameServersUnreachable, let old = keepRoute(topic) else { throw error }
            configuration.logger.warning("Using an old route of \(topic): \(error)")
            return old
        }
        guard let old = keepRoute(topic) else { throw await topicNotFound(topic) }
        configuration.logger.info("The name servers do not know \(topic) now: its last route is used.")
        return old
    }

    private func keepRoute(_ topic: String) -> TopicRoute? {
        state.withLock { $0.routes.keep(topic, now: configuration.time.now()) }
    }

    func refreshRoute(_ topic: String) async throws(MQClientError) -> TopicRoute {
        guard let route = try await queryRoute(topic) else { throw await topicNotFound(topic) }
        learn(topic, route)
        return route
    }

    /// Remembers a topic's route. That a retry topic has none is no failure: it comes into being with the first
    /// heartbeat or message of its group.
    func learnRoute(_ topic: String) async throws(MQClientError) {
        if let route = try await queryRoute(topic) {
            learn(topic, route)
        } else if !TopicName.isRetry(topic) {
            throw await topicNotFound(topic)
        }
    }

    /// A route for sending. A topic that nobody knows yet gets the route of the brokers that create topics by
    /// themselves, as in stock producers.
    func publishRoute(_ topic: String) async throws(MQClientError) -> TopicRoute {
        let now = configuration.time.now()
        if let error = state.withLock({ $0.routes.absence(of: topic, now: now) }) { throw error }
        do {
            return try await route(topic)
        } catch {
            guard error.code == .topicNotFound else { throw error }
            guard let template = try await queryRoute(SystemTopic.autoCreate) else {
                state.withLock { $0.routes.note(absence: error, of: topic, now: now) }
                throw error
            }
            let queues = template.queues.map { queues in
                var limited = queues
                limited.readQueues = min(configuration.automaticTopicQueues, queues.readQueues)
                limited.writeQueues = limited.readQueues
                return limited
            }
            let route = TopicRoute(brokers: template.brokers, queues: queues)
            learn(topic, route)
            return route
        }
    }

    /// The master's address of a broker that some known route names.
    func master(ofBroker name: String, in topic: String) async throws(MQClientError) -> String {
        if let address = state.withLock({ $0.routes.broker(named: name)?.master }) { return address }
        if let address = try await refreshRoute(topic).broker(named: name)?.master { return address }
        throw MQClientError(
            .brokerUnknown,
            "Broker \(name) has no master in the route of \(topic): start its mqbroker, or see mqadmin clusterList."
        )
    }

    /// Remembers where every broker of the cluster is.
    @discardableResult
    func learnTopology() async throws(MQClientError) -> ClusterTopology {
        let topology = try await clusterTopology()
        state.withLock { $0.routes.learn(topology) }
        return topology
    }

    /// The master, or while it is away a slave: good enough to read from.
    func readableAddress(ofBroker name: String, in topic: String) async throws(MQClientError) -> String {
        if let address = state.withLock({ $0.routes.broker(named: name)?.readable }) { return address }
        if let address = try await refreshRoute(topic).broker(named: name)?.readable { return address }
        throw MQClientError(
            .brokerUnknown,
            "Broker \(name) is not in the route of \(topic): see mqadmin topicRoute -t \(topic)."
        )
    }

    /// Nil when the name servers do not know the topic.
    private func queryRoute(_ topic: String) async throws(MQClientError) -> TopicRoute? {
        let header = RouteHeader(topic: topic, acceptsOnlyStandardJSON: true)
        let (answer, address) = try await askNameServers(.getRouteInfoByTopic, header: header)
        switch answer.responseCode {
        case .success:
            return try TopicRoute(answer.body, from: address)
        case .topicNotExist:
            return nil
        default:
            throw MQClientError(refusal: answer, address: address)
        }
    }

    private func learn(_ topic: String, _ route: TopicRoute) {
        let now = configuration.time.now()
        state.withLock { _ = $0.routes.learn(topic, route, now: now) }
    }

    private func topicNotFound(_ topic: String) async -> MQClientError {
        let names = (try? await topicNames()) ?? []
        let servers = configuration.nameServers?.description ?? ""
        let nearest = NameSuggestions.nearest(to: topic, among: names)
        let hint = nearest.isEmpty ? "" : " Similar names: \(nearest.joined(separator: ", "))."
        return MQClientError(
            .topicNotFound,
            "No route info of this topic: \(topic) is unknown to \(servers).\(hint) "
                + "Create it: mqadmin updateTopic -n \"\(servers)\" -c DefaultCluster -t \(topic)"
        )
    }
}
