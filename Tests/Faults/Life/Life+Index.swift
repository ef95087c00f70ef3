import MQClient
import MQProtocol

/// Messages are found by their keys, whatever became of the index files.
extension Life {
    /// A sample of what was acknowledged and is still there. The index may be behind for a while after a crash.
    func indexViolations(_ client: MQClient, _ contents: Contents) async throws -> [Violation] {
        let sample = journal.history.entries.enumerated().filter { _, entry in
            guard case .acknowledged = entry.state, let place = entry.place else { return false }
            return place.offset >= contents[place.queue]?.minimum ?? 0
        }.shuffled(using: &generator).prefix(8)
        var violations: [Violation] = []
        for (number, entry) in sample {
            guard let place = entry.place else { continue }
            if try await !isFound(Int64(number), at: place, client) {
                violations.append(Violation(.index, "message \(number) at \(place)"))
            }
        }
        return violations
    }

    private func isFound(_ number: Int64, at place: Place, _ client: MQClient) async throws -> Bool {
        let deadline = ContinuousClock.now.advanced(by: .seconds(5))
        repeat {
            let found = try? await client.messages(topic: place.queue.topic, key: Payload.key(number))
            let places = (found ?? []).map {
                Place(queue: QueueName($0.topic, $0.queueID), offset: $0.queueOffset)
            }
            if places.contains(place) { return true }
            try await TimeSource.system.sleep(for: .milliseconds(50))
        } while ContinuousClock.now < deadline
        return false
    }
}
