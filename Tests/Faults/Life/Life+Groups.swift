import MQClient
import MQProtocol
import TestSupport

/// The groups that consume all the while, and what is checked of them.
extension Life {
    // MARK: Members

    /// Lets a second member join or leave, at random, while the broker serves: queues change hands.
    func changeMembers() async {
        guard Bool.random(using: &generator) else { return }
        if secondMember != nil { return await endSecondMember() }
        guard let configuration = try? world.clientConfiguration() else { return }
        let journal = journal
        secondMember = Task {
            try? await MQClient.with(configuration) { client in
                try await withThrowingTaskGroup { tasks in
                    tasks.addTask { try await client.run() }
                    tasks.addTask { try await Consumers(client: client, journal: journal).run() }
                    try await tasks.next()
                }
            }
        }
    }

    func endSecondMember() async {
        secondMember?.cancel()
        await secondMember?.value
        secondMember = nil
    }

    // MARK: Checks

    typealias GroupOffsets = [ConsumerGroup: [QueueName: Int64]]

    /// Where the groups go on.
    func groupOffsets(_ client: MQClient) async throws -> GroupOffsets {
        var offsets: GroupOffsets = [:]
        for group in ConsumerGroup.allCases {
            for queue in group.queues {
                offsets[group, default: [:]][queue] = try await client.consumerOffset(
                    of: queue.queue, group: group.rawValue)
            }
        }
        return offsets
    }

    /// - Parameter given: what the groups had been given before the contents were read.
    func groupViolations(
        _ offsets: GroupOffsets, given: [ConsumerGroup: Deliveries], _ contents: Contents, _ result: CheckResult
    ) -> [Violation] {
        let deliveries = journal.deliveries
        defer { noteKnown(offsets) }
        return ConsumerGroup.allCases.flatMap { group in
            let check = groupCheck(group, contents, result)
            let vanished = given[group].map { check.vanished($0) } ?? []
            guard let offsets = offsets[group], let now = deliveries[group] else { return vanished }
            let deleted = setup.retainsUnconsumed ? check.deletedViolations(now, known: known[group] ?? []) : []
            return vanished + check.offsetViolations(offsets, now) + deleted
        }
    }

    /// Brokers answer 0 also for a group that they have no offset of.
    private func noteKnown(_ offsets: GroupOffsets) {
        for (group, queues) in offsets { known[group, default: []].formUnion(queues.filter { $0.value > 0 }.keys) }
    }

    /// What is wrong when every message had the time to be given to its groups.
    func settledGroupViolations(
        _ client: MQClient, _ contents: Contents, _ result: CheckResult
    ) async throws -> [Violation] {
        var violations: [Violation] = []
        for group in ConsumerGroup.allCases {
            let dead = try await ReadBack(client: client).read(group.deadLetters)
            let numbers = dead.messages.compactMap { Payload.number(in: $0.body) }
            guard let deliveries = journal.deliveries[group] else { continue }
            violations += groupCheck(group, contents, result).settledViolations(deliveries, dead: numbers)
        }
        return violations
    }

    private func groupCheck(_ group: ConsumerGroup, _ contents: Contents, _ result: CheckResult) -> GroupCheck {
        GroupCheck(
            group: group, history: journal.history, contents: contents, expectations: expectations,
            found: result.found)
    }
}
