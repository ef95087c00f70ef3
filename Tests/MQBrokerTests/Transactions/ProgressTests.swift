import Foundation
import MQProtocol
import MQStore
import NIOCore
import Synchronization
import Testing

@testable import MQBroker

@Suite("Where a start begins to read half messages")
struct ProgressTests {
    /// Two decided halves and one that is not; closed.
    private func oneUndecided(in directory: URL) async throws {
        try await LiveBroker.with(in: directory) { broker in
            let client = FakeClient("p", of: broker)
            for key in ["K0", "K1"] {
                let half = try await client.sendHalf("order", to: "T", key: key, immunity: 0)
                #expect(try await client.end(half, .commit) == (.success, .accepted))
            }
            _ = try await client.sendHalf("order", to: "T", key: "K2", immunity: 0)
            await client.close()
        }
    }

    /// Each digit of a file of progress, changed in a copy of the directory.
    private func changeDigits(of name: String) async throws {
        try await LiveBroker.withDirectory { directory in
            let original = directory.appending(path: "original")
            try FileManager.default.createDirectory(at: original, withIntermediateDirectories: true)
            try await oneUndecided(in: original)
            var text = try Data(contentsOf: original.appending(path: "config/\(name)"))
            // As a stock broker writes it: without the checksum in white space.
            if let end = text.lastIndex(of: UInt8(ascii: "}")) { text = text[...end] }
            let digits = text.indices.filter { (0x30...0x39).contains(text[$0]) }
            #expect(!digits.isEmpty)
            for position in digits {
                let copy = directory.appending(path: "copy")
                try? FileManager.default.removeItem(at: copy)
                try FileManager.default.copyItem(at: original, to: copy)
                var changed = text
                changed[position] = text[position] == 0x39 ? 0x38 : 0x39
                try changed.write(to: copy.appending(path: "config/\(name)"))
                try await LiveBroker.with(in: copy) { broker in
                    let count = broker.service.broker.transactions.undecidedCount
                    #expect(count == 1, "position \(position) of \(name)")
                }
            }
        }
    }

    @Test("A changed digit of the consumer offsets leaves no undecided half out")
    func consumerOffsets() async throws { try await changeDigits(of: "consumerOffset.json") }

    @Test("A changed digit of our own record neither")
    func ownRecord() async throws { try await changeDigits(of: "transactionChecks.json") }

    @Test("An undecided half of an earlier run does not make every start read from the beginning")
    func undecidedForLong() async throws {
        try await LiveBroker.withDirectory { directory in
            try await oneUndecided(in: directory)
            for run in 0..<3 {
                try await LiveBroker.with(in: directory) { broker in
                    let transactions = broker.service.broker.transactions
                    #expect(transactions.undecided.map(\.opFloor.rawValue) == [2], "run \(run)")
                    let known = RuntimeInformation(broker: broker.service.broker, now: TimeSource.system.now()).table()
                    #expect(known["undecidedHalfMessages"] == "1")
                    #expect(known["unresolvedHalfMessages"] == "0")
                    // Decided behind it: its op record must be found by the next start.
                    let client = FakeClient("p", of: broker)
                    let half = try await client.sendHalf("order", to: "T", key: "L\(run)", immunity: 0)
                    #expect(try await client.end(half, .commit) == (.success, .accepted))
                    await client.close()
                }
            }
            let file = directory.appending(path: "config/transactionChecks.json")
            let progress = try CheckCounts.decode(ByteBuffer(bytes: try Data(contentsOf: file))).progress
            #expect(progress == .init(half: QueueOffset(rawValue: 2), op: QueueOffset(rawValue: 2)))
        }
    }

    @Test("It is noted though something is always unflushed")
    func steadyLoad() throws {
        let support = TableSupport()
        let broker = try support.broker { configuration in
            configuration.storage.synchronousFlush = false
            configuration.storage.flushInterval = .seconds(3600)
        }
        func append() throws {
            try support.putWaiting("x", in: "Other", "", broker: broker)
        }
        try append()
        broker.transactions.noteProgress(broker.transactions.ends)
        try broker.store.flushNow()
        try append()
        broker.transactions.noteProgress(broker.transactions.ends)
        #expect(broker.transactions.noted.withLock { $0 } != nil)
        try broker.close()
    }

    @Test("It is noted soon after the clock was set back by an hour")
    func clockSetBack() async throws {
        let support = TableSupport()
        let broker = try support.broker()
        let running = Task { await broker.transactions.run(on: broker.serviceThreads, clients: broker.clients) }
        await support.clock.waitForSleepers(count: 1)
        support.clock.set(to: support.clock.now().advanced(by: .seconds(-3600)))
        for _ in 0..<2 {
            support.clock.advance(by: .seconds(10))
            await support.clock.waitForSleepers(count: 1)
        }
        #expect(broker.transactions.noted.withLock { $0 } != nil)
        running.cancel()
        await running.value
        try broker.close()
    }

    @Test("The record survives only as a whole")
    func record() throws {
        let counts = CheckCounts(
            [LogOffset(rawValue: 120): 3], progress: .init(half: QueueOffset(rawValue: 7), op: QueueOffset(rawValue: 5))
        )
        let text = counts.encode()
        #expect(try CheckCounts.decode(text) == counts)
        for position in 0..<text.readableBytes {
            guard let byte = text.getInteger(at: position, as: UInt8.self) else { continue }
            for bit in 0..<8 {
                var changed = text
                changed.setInteger(byte ^ 1 << UInt8(bit), at: position)
                let found = try? CheckCounts.decode(changed)
                #expect(found == nil || found?.progress == counts.progress, "bit \(bit) of byte \(position)")
            }
        }
        #expect(try CheckCounts.decode(CheckCounts([LogOffset(rawValue: 1): 2]).encode()).progress == nil)
    }
}
