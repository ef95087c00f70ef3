import Foundation
import MQProtocol
import MQStore
import ProcessOutput
import ProcessSupport
import TestSupport

/// What is done while no broker runs: the power comes back, files are damaged, starts are interrupted.
extension Life {
    func settle(_ kind: FaultKind, _ producers: Producers) async throws {
        try world.control.clear()
        if kind == .powerInRetention { try shiftClock(by: .zero) }
        if powerWasLost(kind) {
            try await world.disk.restorePower()
            Ballast.removeRest(in: world.disk.mountPoint)
        }
        switch kind {
        case .crashLoop: try await crashLoop()
        case .powerInRecovery: try await losePowerInRecovery(kind)
        case .powerInTruncation:
            try tearTail()
            try await losePowerInRecovery(kind)
        case .diskFullAtStart: try await startOnFullDisk(kind, producers)
        case .readError:
            let skip = Int.random(in: 0...10, using: &generator)
            try world.control.set([.init(operation: .read, action: .inputOutputError, skip: skip, path: "/store/")])
            let isRefused = try await isRefused(kind, with: 69)
            hasStruck = try isRefused || world.control.fired() > 0
            try world.control.clear()
        default: try await changeFiles(kind)
        }
    }

    /// A broker ends because it is told to, or is killed. One that sees its disk go may end by itself, and says why:
    /// none dies of what it finds.
    func checkExit(_ kind: FaultKind, _ exit: ServerProcess.ExitStatus) {
        let isExpected =
            switch (kind, exit) {
            case (.stop, .code(0)), (.flipLog, .code(0)): true
            case (.stop, _), (.flipLog, _): false
            case (_, .signal(9)), (_, .code(0)), (_, .code(1)), (_, .code(68)), (_, .code(69)): true
            default: false
            }
        if !isExpected { fail([Violation(.liveness, "the broker ended with \(exit)")], of: kind) }
    }

    private func powerWasLost(_ kind: FaultKind) -> Bool {
        guard losesPower else { return false }
        return switch kind {
        case .pause, .diskFull, .writeErrorOnce, .writeErrorForGood, .flushErrorOnce, .flushErrorForGood,
            .flushErrorDropping, .shortWrites, .readOnly, .clockForward, .clockBackward, .diskFullAtStart, .readError:
            true
        default: kind.losesPower
        }
    }

    private func crashLoop() async throws {
        let file = try BrokerProcess.writeProperties(world.options(setup), port: world.port)
        for _ in 0..<5 {
            let life = Duration.milliseconds(Int.random(in: 0...50, using: &generator))
            let ended = try await run(file) { process in
                try? await TimeSource.system.sleep(for: life)
                process.kill()
            }
            checkExit(.crashLoop, ended.exit)
        }
    }

    /// Starts the broker on a disk whose power fails while it recovers.
    private func losePowerInRecovery(_ kind: FaultKind) async throws {
        hasStruck = false
        guard world.preload != nil else { return }
        for _ in 0..<Int.random(in: 1...2, using: &generator) {
            guard let rule = kind.strikeRule(&generator) else { return }
            try world.control.set([rule])
            let file = try BrokerProcess.writeProperties(world.options(setup), port: world.port)
            let disk = world.disk
            let ended = try await run(file) { process in
                _ = await process.output.first { $0.contains("boot success") }
                disk.losePower()
                process.kill()
            }
            checkExit(kind, ended.exit)
            // What groups gave back to this broker may have gone with its power too.
            notePowerLoss(lastAcknowledged: journal.lastAcknowledgement)
            if try world.control.fired() > 0 { hasStruck = true }
            try world.control.clear()
            try await world.disk.restorePower()
            Ballast.removeRest(in: world.disk.mountPoint)
        }
    }

    private func isRefused(_ kind: FaultKind, with status: Int) async throws -> Bool {
        let file = try BrokerProcess.writeProperties(world.options(setup), port: world.port)
        return try await isRefused(kind, with: status, file) { _ in }
    }

    /// Whether a start fails, as it may, with this status. One that succeeds is killed.
    ///
    /// - Parameter serving: what is done beside a broker that serves all the same.
    func isRefused(
        _ kind: FaultKind, with status: Int, _ file: String, serving: @Sendable (ServerProcess) async throws -> Void
    ) async throws -> Bool {
        let ended = try await run(file) { process in
            _ = await process.output.first { $0.contains("boot success") }
            let isServing = !process.output.isFinished
            if isServing {
                try await serving(process)
                process.kill()
            }
            return (isServing, process.errors.tail(2))
        }
        if ended.value.0 {
            checkExit(kind, ended.exit)
            return false
        }
        if ended.exit != .code(status) {
            fail([Violation(.liveness, "the start ended with \(ended.exit): \(ended.value.1)")], of: kind)
        }
        return true
    }

    private func run<Value: Sendable>(
        _ file: String, _ body: @Sendable (ServerProcess) async throws -> Value
    ) async throws -> ServerProcess.Ended<Value> {
        let options = world.options(setup)
        return try await ServerProcess.run(
            "mqbroker", arguments: ["-c", file], programs: options.programs, environment: options.environment, body)
    }

    /// Makes the last bytes of the log unreadable, as if the last write had not been finished: none of them was
    /// acknowledged.
    private func tearTail() throws {
        let folder = world.store + "/commitlog"
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        for name in names.reversed() {
            let path = folder + "/" + name
            guard let data = FileManager.default.contents(atPath: path) else { continue }
            guard let last = data.lastIndex(where: { $0 != 0 }) else { continue }
            let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
            defer { try? handle.close() }
            // Nothing that was written whole: at the end of a file there may be no room.
            let room = max(0, data.count - last - 1)
            try handle.seek(toOffset: UInt64(last + 1))
            try handle.write(contentsOf: Data(repeating: 0x5A, count: min(512, room)))
            try handle.synchronize()
            return
        }
    }

    /// What the broker knows of delays and transactions besides its log.
    private static let delayFiles = ["timerWatermark.json", "delayOffset.json", "transactionChecks.json"]

    private func changeFiles(_ kind: FaultKind) async throws {
        let store = world.store
        let files = FileManager.default
        func remove(_ names: String...) { for name in names { try? files.removeItem(atPath: store + "/" + name) } }
        switch kind {
        case .deletedQueues: remove("consumequeue")
        case .deletedIndex: remove("index")
        case .deletedCheckpoint: remove("checkpoint")
        case .deletedPosition:
            // What was flushed before damage is known from nothing else, where the clock was set.
            let isKnown = clockShifts.isEmpty || !journal.history.entries.contains { $0.state == .damaged }
            if isKnown { remove("escrow") } else { remove("escrow/position", "escrow/queues") }
        case .deletedDelays:
            hasStruck = Self.delayFiles.contains { files.fileExists(atPath: store + "/config/" + $0) }
            for name in Self.delayFiles { remove("config/" + name, "config/" + name + ".bak") }
        case .deletedConfiguration, .damagedConfiguration:
            try spoilConfiguration(deletes: kind == .deletedConfiguration)
        case .flipLog:
            hasStruck = try damageMessage()
        case .flipTopics: try flip(["topics.json", "subscriptionGroup.json"])
        case .flipOffsets: try flip(["consumerOffset.json"])
        case .flipTimer: try flip(Self.delayFiles)
        case .emptiedQueueFile:
            guard let file = queueFiles().randomElement(using: &generator) else { return hasStruck = false }
            _ = files.createFile(atPath: file, contents: Data())
        case .readOnlyFiles:
            let folder = store + "/commitlog"
            try await LoopFileSystem.command("chattr", "-R", "+i", folder)
            hasStruck = try await isRefused(kind, with: 69)
            try await LoopFileSystem.command("chattr", "-R", "-i", folder)
        default: return
        }
    }

    private func queueFiles() -> [String] {
        let folder = world.store + "/consumequeue"
        let names = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
        return names.sorted().filter { $0.split(separator: "/").count == 3 }.map { folder + "/" + $0 }
    }

    /// One bit of one of the files.
    private func flip(_ names: [String]) throws {
        let paths = names.map { world.store + "/config/" + $0 }
        guard let path = paths.randomElement(using: &generator), var data = FileManager.default.contents(atPath: path),
            let position = data.indices.randomElement(using: &generator)
        else { return hasStruck = false }
        data[position] ^= 1 << UInt8.random(in: 0...7, using: &generator)
        try data.write(to: URL(fileURLWithPath: path))
        // The seal itself tells nothing when it is damaged, and our own files have other checksums.
        guard Self.sealed.contains(where: path.hasSuffix), position <= data.count - Self.sealBytes else { return }
        owedReports.append(OwedReport(words: [path], description: "the configuration file \(path)"))
    }

    private static let sealed = ["topics.json", "subscriptionGroup.json", "consumerOffset.json", "delayOffset.json"]

    /// White space at the end of the files of offsets, and the brace before it.
    private static let sealBytes = TextSeal.length + 1

    /// Every file whose previous version is there.
    private func spoilConfiguration(deletes: Bool) throws {
        let folder = world.store + "/config"
        let files = FileManager.default
        hasStruck = false
        for name in try files.contentsOfDirectory(atPath: folder).sorted() where name.hasSuffix(".json") {
            guard files.fileExists(atPath: "\(folder)/\(name).bak") else { continue }
            let path = folder + "/" + name
            if deletes {
                try files.removeItem(atPath: path)
            } else {
                guard var data = files.contents(atPath: path), data.count > Self.sealBytes else { continue }
                // Without its seal alone, a file is as a stock broker writes it.
                let least = max(Self.sealBytes, data.count / 2)
                data.removeLast(Int.random(in: least..<data.count, using: &generator))
                try data.write(to: URL(fileURLWithPath: path))
            }
            hasStruck = true
            owedReports.append(
                OwedReport(words: [path, "its previous version"], description: "the configuration file \(name)"))
        }
    }
}
