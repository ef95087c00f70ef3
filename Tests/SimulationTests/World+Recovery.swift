import MQProtocol
import NIOCore
import Synchronization
import TestSupport

@testable import MQStore

extension World {
    /// What a restart may be preceded by.
    enum End {
        case begin, crash, kill, close
    }

    /// The end of the process, or of the power, and a new start, which is itself disturbed now and then.
    func restart(_ end: End) throws {
        var end = end
        if end == .close { end = try close() }
        var mustKeep = end == .crash || end == .kill && model.hasFlushFailed ? model.acknowledged : model.end
        store = nil
        var hasLostPower = end == .crash
        if hasLostPower { device.crash() } else { device.kill() }
        device.clearFaults()
        device.setCapacity(nil)
        let hadNoRoom = isDiskLimited
        isDiskLimited = false
        for attempt in 0... {
            let isDisturbed = attempt < 3 && random.below(4) == 0
            if isDisturbed { disturbStart() }
            do {
                store = try open()
            } catch {
                trail.add("\(operations) start failed: \(error.code)")
                guard isDisturbed else { throw Violation(.opens, "\(error)") }
            }
            if store != nil, !device.isPowerless { break }
            store = nil
            mustKeep = min(mustKeep, model.acknowledged)
            if device.isPowerless {
                device.crash()
                hasLostPower = true
            } else {
                device.kill()
            }
            device.clearFaults()
        }
        device.clearFaults()
        trail.add(
            "\(operations) started, \(end): \(store?.minimumLogOffset ?? .zero)..<\(store?.appendedOffset ?? .zero)"
                + " of \(model.end), to be kept \(mustKeep)")
        try verify(mustKeep: mustKeep, hadNoRoom: hadNoRoom)
        try consumers.verify(device, isDurable: hasLostPower)
        if random.below(4) == 0 { try verifySecondRecovery() }
    }

    private func disturbStart() {
        if random.below(2) == 0 {
            let calls = random.below(80)
            trail.add("\(operations) start with power for \(calls) calls")
            device.cutPower(after: calls)
        } else {
            let kinds: [SimulatedDevice.Operation] = [.read, .write, .flush, .open, .rename, .syncDirectory, .remove]
            let kind = kinds[random.below(kinds.count)]
            trail.add("\(operations) start with a failing \(kind)")
            device.fail(kind, after: random.below(12))
        }
    }

    private func close() throws -> End {
        guard let store else { return .kill }
        do {
            try store.close()
            return .close
        } catch {
            trail.amend(" close failed: \(error.code)")
            model.hasFlushFailed = true
            return device.isPowerless ? .crash : .kill
        }
    }

    private func open() throws(StoreError) -> MessageStore {
        let keepFrom = keepFrom
        let observer = StoreObserver(willDelete: { limit in
            min(limit, LogOffset(rawValue: keepFrom.value.withLock { $0 }))
        })
        let store = try MessageStore.open(
            configuration, device: device, time: .manual(clock),
            logger: complaints.logger,
            observer: observer
        )
        refs = model.queues.map { store.queue($0.topic, $0.queueID) }
        return store
    }

    /// Everything that was promised is there, and nothing else.
    ///
    /// - Parameter hadNoRoom: the disk may have been full when segments were deleted.
    private func verify(mustKeep: Int64, hadNoRoom: Bool) throws {
        guard let store else { throw Violation(.harness, "no store") }
        try settleDeletion(store)
        if hadNoRoom {
            // What is deleted, not what is lost with its power.
            model.forget(below: max(store.minimumLogOffset.rawValue, model.minimum))
            model.forgetEntriesWithoutRoom()
        }
        try verifyLog(store, mustKeep: mustKeep)
        store.dispatchPending()
        try verifyQueues(store)
    }

    /// Opening the same files again brings the same state.
    private func verifySecondRecovery() throws {
        guard let first = store else { throw Violation(.harness, "no store") }
        let before = try digest(first)
        store = nil
        if random.below(2) == 0 { device.kill() } else { device.crash() }
        do {
            store = try open()
        } catch {
            throw Violation(.opensTwice, "\(error)")
        }
        guard let second = store else { return }
        let after = try digest(second)
        if before != after { throw Violation(.stable, "\(before) became \(after)") }
        second.dispatchPending()
        try verifyQueues(second)
    }

    private func digest(_ store: MessageStore) throws -> [String] {
        var lines = ["log \(store.minimumLogOffset)..<\(store.appendedOffset)"]
        for ref in refs {
            let next = store.nextOffset(of: ref)
            if next > .zero { lines.append("\(ref.topic) \(ref.queueID): \(next)") }
        }
        let directory = "/store/commitlog"
        for entry in try device.list(directory) ?? [] {
            guard let bytes = try device.contents(of: "\(directory)/\(entry.name)") else { continue }
            let sum = crc32(bytes.readableBytesUInt8Span)
            // A file prepared ahead of the writer may be there or not.
            if bytes.readableBytesView.contains(where: { $0 != 0 }) { lines.append("\(entry.name) \(sum)") }
        }
        return lines
    }

    /// A last clean stop and start, and everything again.
    func finish() throws {
        device.clearFaults()
        try restart(.close)
        try verifySecondRecovery()
    }

    // MARK: Operations that end the process

    func interrupt(_ operation: Operation) throws {
        switch operation {
        case .crash: try restart(.crash)
        case .kill: try restart(.kill)
        case .reopen: try restart(.close)
        case .powerCut: device.cutPower(after: random.below(40))
        default: try removeFiles()
        }
    }

    /// Derived files go while nobody runs: everything is built again from the log.
    private func removeFiles() throws {
        guard let store else { return }
        // What was not flushed is not in the question here.
        do {
            try store.close()
        } catch {
            model.hasFlushFailed = true
            return try restart(device.isPowerless ? .crash : .kill)
        }
        self.store = nil
        device.clearFaults()
        // Without its record, the earlier life of a queue would no longer be known, nor damage be told from an end.
        let needsRecord =
            model.queues.contains { $0.lifeStart > model.minimum } || model.log.contains(where: \.isDamaged)
        let choice = random.below(needsRecord ? 4 : 5)
        trail.amend([" queues", " one queue", " index", " checkpoint", " records"][choice])
        switch choice {
        case 0: try removeTree("/store/consumequeue")
        case 1:
            let queue = model.queues[random.below(model.queues.count)]
            try removeTree("/store/consumequeue/\(queue.topic)/\(queue.queueID)")
        case 2: try removeTree("/store/index")
        case 3: try device.remove("/store/checkpoint")
        default: try removeTree("/store/escrow")
        }
        for directory in ["/store", "/store/consumequeue"] { try device.syncDirectory(directory) }
        for index in model.queues.indices where choice != 2 && choice != 3 {
            if model.queues[index].records.isEmpty { model.queues[index].mayBeginAgain = true }
        }
        model.hasFlushFailed = false
        model.acknowledged = model.end
        try restart(.kill)
    }

    private func removeTree(_ directory: String) throws {
        for entry in try device.list(directory) ?? [] {
            let path = "\(directory)/\(entry.name)"
            if entry.isDirectory { try removeTree(path) } else { try device.remove(path) }
        }
        try device.syncDirectory(directory)
        try device.remove(directory)
    }
}
