import Foundation
import MQClient
import Testing

/// Nothing of the topic is left for the group.
func expectFinished(_ cluster: LiveCluster, _ topic: String, group: String? = nil) async throws {
    let client = try cluster.client()
    let progress = try await client.consumerProgress(group: group ?? "group-of-\(topic)", topic: topic)
    for (queue, status) in progress.queues where queue.topic == topic {
        #expect(status.consumerOffset == status.brokerOffset, "\(queue)")
    }
    await client.shutdown()
}

/// In every queue offsets grow, where a message may come again with all behind it.
func expectInOrder(_ deliveries: [Deliveries.Delivery], count: Int?) {
    var lasts: [MessageQueue: Int64] = [:]
    for delivery in deliveries {
        let offset = delivery.message.queueOffset
        let last = lasts[delivery.queue] ?? offset - 1
        #expect(offset <= last + 1, "a gap in \(delivery.queue) before \(offset)")
        if count != nil { #expect(offset == last + 1) }
        lasts[delivery.queue] = offset
    }
    if let count { #expect(deliveries.count == count) }
}

/// The bodies of the dead letters of the topic's group.
func deadLetters(_ cluster: LiveCluster, _ topic: String) async throws -> [String] {
    let client = try cluster.client()
    let queue = MessageQueue(topic: "%DLQ%group-of-\(topic)", brokerName: "a", queueID: 0)
    var texts: [String] = []
    while texts.isEmpty, !Task.isCancelled {
        texts = try await client.pull(queue, from: 0, waitingUpTo: .seconds(10)).messages.map(\.text)
    }
    await client.shutdown()
    return texts
}

/// Looks again and again at what tells nobody when it changes, until the test's time is over.
func poll(_ isMet: () -> Bool) async {
    while !isMet(), !Task.isCancelled { await Task.yield() }
}

func pollThrowing(_ isMet: () async throws -> Bool) async {
    while (try? await isMet()) != true, !Task.isCancelled { await Task.yield() }
}

struct TemporaryFolder: ~Copyable {
    let path: String

    init() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        path = folder.path
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }
}
