import MQProtocol
import MQRemoting
import Synchronization

/// The groups of this client, and what their brokers are.
extension MQClient {
    /// Announces a producer group with the next heartbeat, which is sent at once while ``run()`` is running.
    ///
    /// - Throws: ``MQClientError/Code/groupInUse``, ``MQClientError/Code/invalidGroup``.
    func register(producer: ProducerPresence) throws(MQClientError) {
        try checkGroup(producer.group)
        guard presence.groups.withLock({ $0.add(producer) }) else { throw groupInUse("producer", producer.group) }
        wakeHeartbeat()
    }

    /// Announces a consumer with the next heartbeat, which is sent at once while ``run()`` is running.
    ///
    /// - Throws: ``MQClientError/Code/groupInUse``, ``MQClientError/Code/invalidGroup``.
    func register(consumer: ConsumerPresence) throws(MQClientError) {
        try checkGroup(consumer.group)
        guard presence.groups.withLock({ $0.add(consumer) }) else { throw groupInUse("consumer", consumer.group) }
        wakeHeartbeat()
    }

    /// Announces the group no more. ``run()`` tells the brokers at once; ``withdraw()`` does too.
    func unregister(producer group: String) {
        presence.groups.withLock { $0.removeProducer(group) }
        wakeHeartbeat()
    }

    /// Announces the group no more. ``run()`` tells the brokers at once; ``withdraw()`` does too.
    func unregister(consumer group: String) {
        presence.groups.withLock { $0.removeConsumer(group) }
        wakeHeartbeat()
    }

    /// Lets ``run()`` send a heartbeat now: something that it announces has changed.
    func wakeHeartbeat() {
        presence.alarm.ring()
    }

    /// True when the broker said in its answer to a heartbeat that its verdicts are final and that it delays by any
    /// time. False for a broker that has not answered one yet.
    func announcesEscrow(_ address: String) -> Bool {
        presence.standings.withLock { $0.announcesEscrow(address) } ?? false
    }

    private func checkGroup(_ group: String) throws(MQClientError) {
        guard let remark = GroupName.remark(refusing: group) else { return }
        throw MQClientError(.invalidGroup, "The group \"\(group)\" is not possible: \(remark)")
    }

    private func groupInUse(_ role: String, _ group: String) -> MQClientError {
        MQClientError(
            .groupInUse,
            "This client has a \(role) of group \(group) already: use that one, close it first, or choose another "
                + "group.")
    }
}
