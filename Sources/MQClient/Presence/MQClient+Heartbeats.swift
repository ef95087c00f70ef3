import Logging
import MQProtocol
import MQRemoting
import NIOCore
import Synchronization

extension MQClient {
    /// Sends heartbeats until cancelled: at once, every interval, and when woken.
    ///
    /// A broker that does not answer delays neither the others nor the next round.
    func keepHeartbeats() async {
        await withDiscardingTaskGroup { rounds in
            while !Task.isCancelled {
                rounds.addTask {
                    await self.withdraw()
                    await self.findBrokers()
                    await self.heartbeatRound()
                }
                let next = configuration.time.now().advanced(by: configuration.heartbeatInterval)
                await presence.alarm.wait(until: next, by: configuration.time)
            }
        }
    }

    /// Tells every broker that concerns this client what it is now, and returns when each has answered or failed.
    func announce() async {
        await findBrokers()
        await withDiscardingTaskGroup { tasks in
            for address in heartbeatTargets() {
                tasks.addTask { await self.sendHeartbeat(to: address) }
            }
        }
    }

    /// Tells the brokers which groups this client no longer has. Failures are theirs to notice.
    func withdraw() async {
        let withdrawn = presence.groups.withLock { $0.takeWithdrawn() }
        await withdraw(Array(withdrawn))
    }

    /// Takes back everything, when the client ends.
    func withdrawAll() async {
        let groups = presence.groups.withLock { table in
            table.producers.keys.map { PresenceTable.Withdrawal(role: .producer, group: $0) }
                + table.consumers.keys.map { PresenceTable.Withdrawal(role: .consumer, group: $0) }
                + table.takeWithdrawn()
        }
        await withdraw(groups + [PresenceTable.Withdrawal(role: .producer, group: configuration.producerGroup)])
    }

    private func withdraw(_ groups: [PresenceTable.Withdrawal]) async {
        guard !groups.isEmpty else { return }
        await withDiscardingTaskGroup { tasks in
            for address in presence.standings.withLock({ $0.told }) {
                tasks.addTask {
                    // A broker that did not hear of one will not hear of the others: its connection's end tells it.
                    for group in groups where await !self.withdraw(group, from: address) { break }
                }
            }
        }
    }

    /// - Returns: whether the broker heard of it.
    private func withdraw(_ withdrawal: PresenceTable.Withdrawal, from address: String) async -> Bool {
        var header = UnregisterClientHeader(clientID: configuration.clientID)
        switch withdrawal.role {
        case .producer: header.producerGroup = withdrawal.group
        case .consumer: header.consumerGroup = withdrawal.group
        }
        do {
            try await successfulRequest(to: address, .unregisterClient, header: header)
            return true
        } catch {
            configuration.logger.debug(
                "a group was not withdrawn",
                metadata: ["group": "\(withdrawal.group)", "broker": "\(address)", "error": "\(error)"])
            return false
        }
    }

    // MARK: One round

    private func heartbeatRound() async {
        await withDiscardingTaskGroup { tasks in
            for address in heartbeatTargets() where presence.standings.withLock({ $0.begin(address) }) {
                tasks.addTask {
                    repeat {
                        await self.sendHeartbeat(to: address)
                    } while self.presence.standings.withLock { $0.finish(address) } && !Task.isCancelled
                }
            }
        }
    }

    private func sendHeartbeat(to address: String) async {
        do {
            try await heartbeat(to: address)
            note(worked: "heartbeat to \(address)")
        } catch {
            note(error, failed: "heartbeat to \(address)")
        }
    }

    /// - Returns: whether the broker announced itself as one of ours.
    @discardableResult
    func heartbeat(to address: String) async throws(MQClientError) -> Bool {
        let announcement = (ProtocolExtension.clientAnnouncement.name, ProtocolExtension.version)
        let body = heartbeatData().encode()
        presence.standings.withLock { $0.told(address) }
        do {
            let answer = try await successfulRequest(to: address, .heartbeat, body: body, extra: [announcement])
            let isOurs = answer.fields.string(ProtocolExtension.brokerAnnouncement.name) != nil
            // Check-backs are known by the address of their connection, which routes may give as a name.
            let connected = try? await remoting.connection(to: address).remoteAddress.description
            let now = configuration.time.now()
            presence.standings.withLock { standings in
                standings.answered(address, announcesEscrow: isOurs, now: now)
                if let connected { standings.answered(connected, announcesEscrow: isOurs, now: now) }
            }
            return isOurs
        } catch {
            if error.code != .cancelled { presence.standings.withLock { $0.failed(address) } }
            throw error
        }
    }

    private func heartbeatData() -> HeartbeatData {
        let (producers, consumers) = presence.groups.withLock { (Array($0.producers.keys), Array($0.consumers.values)) }
        return HeartbeatData(
            clientID: configuration.clientID,
            producerGroups: Set(producers + [configuration.producerGroup]).sorted(),
            consumers: consumers.map(\.heartbeatData).sorted { $0.groupName < $1.groupName })
    }

    // MARK: Whom to tell

    /// Consumers are announced to slaves too, which they may read from. Producers that answer check-backs are announced
    /// to every master there is: any of them may hold half messages of an earlier run.
    private func heartbeatTargets() -> [String] {
        let (consumes, answersChecks) = presence.groups.withLock { (!$0.consumers.isEmpty, $0.answersChecks) }
        let brokers = state.withLock { answersChecks ? $0.routes.allBrokers : $0.routes.routedBrokers }
        let addresses = brokers.flatMap { broker in
            consumes ? Array(broker.addresses.values) : broker.master.map { [$0] } ?? []
        }
        return Set(addresses).sorted()
    }

    private func findBrokers() async {
        let (consumers, answersChecks) = presence.groups.withLock { (Array($0.consumers.values), $0.answersChecks) }
        let topics = Set(consumers.flatMap { $0.subscriptions().map(\.topic) })
        for topic in topics.sorted() where state.withLock({ $0.routes.known(topic) }) == nil {
            await attempt("route of \(topic)") { () async throws(MQClientError) in try await self.learnRoute(topic) }
        }
        guard answersChecks else { return }
        await attempt("list of brokers") { () async throws(MQClientError) in
            _ = try await self.learnTopology()
        }
    }
}

/// Failures of what is tried again and again.
extension MQClient {
    func attempt(_ what: String, _ body: () async throws(MQClientError) -> Void) async {
        do {
            try await body()
            note(worked: what)
        } catch {
            note(error, failed: what)
        }
    }

    func note(worked what: String) {
        guard presence.outages.withLock({ $0.worked(what) }) else { return }
        configuration.logger.notice("\(what): works again")
    }

    func note(_ error: MQClientError, failed what: String) {
        guard error.code != .cancelled, presence.outages.withLock({ $0.failed(what) }) else { return }
        configuration.logger.warning("\(what): \(error)")
    }
}
