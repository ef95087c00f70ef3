import MQProtocol
import MQStore

/// The keys of request 28 with their values (broker.md 18.3).
///
/// Thread pools and their queues do not exist here: their sizes and waits are 0, for the tools that read them.
struct RuntimeInformation {
    let broker: Broker
    let now: Timestamp

    func table() -> [String: String] {
        var table: [String: String] = [:]
        for part in [process, counts, rates, times, pools, store, disk, delays] {
            table.merge(part()) { first, _ in first }
        }
        return table
    }

    private func process() -> [String: String] {
        [
            "brokerVersionDesc": "V4_9_8", "brokerVersion": "\(ProtocolVersion.current)",
            "bootTimestamp": "\(broker.statistics.started.milliseconds)", "runtime": Self.runtime(age),
            "startAcceptSendRequestTimeStamp": "\(broker.settings.configuration.acceptSendsFrom)",
        ]
    }

    private var age: Duration { broker.statistics.started.duration(to: now) }

    /// As RocketMQ words it.
    static func runtime(_ age: Duration) -> String {
        let seconds = max(0, age.wholeMilliseconds / 1000)
        let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60)
        return "[ \(days) days, \(hours) hours, \(minutes) minutes, \(seconds % 60) seconds ]"
    }

    private func counts() -> [String: String] {
        let snapshot = broker.statistics.snapshot
        let totals = snapshot.totals
        let (yesterday, today) = (snapshot.days.yesterdayMorning, snapshot.days.todayMorning)
        return [
            "msgPutTotalYesterdayMorning": "\(yesterday.stored)", "msgPutTotalTodayMorning": "\(today.stored)",
            "msgPutTotalTodayNow": "\(totals.stored)", "msgGetTotalYesterdayMorning": "\(yesterday.transferred)",
            "msgGetTotalTodayMorning": "\(today.transferred)", "msgGetTotalTodayNow": "\(totals.transferred)",
            "putMessageTimesTotal": "\(max(1, totals.stored))", "putMessageFailedTimes": "\(totals.failed)",
            "putMessageSizeTotal": "\(totals.storedBytes)",
            "deletedUnconsumedTotal": "\(broker.unconsumed.deleted)",
            "undecidedHalfMessages": "\(broker.transactions.undecidedCount)",
            "unresolvedHalfMessages": "\(broker.transactions.unresolvedCount)",
            "putMessageAverageSize": "\(Double(totals.storedBytes) / Double(max(1, totals.stored)))",
        ]
    }

    private func rates() -> [String: String] {
        let history = broker.statistics.snapshot.history
        return [
            "putTps": history.rates(\.stored), "getFoundTps": history.rates(\.found),
            "getMissTps": history.rates(\.missed), "getTotalTps": history.rates { $0.found + $0.missed },
            "getTransferedTps": history.rates(\.transferred),
        ]
    }

    private func times() -> [String: String] {
        let snapshot = broker.statistics.snapshot
        return [
            "putMessageDistributeTime": snapshot.times.distribution,
            "putMessageEntireTimeMax": "\(snapshot.times.longest.wholeMilliseconds)",
            "getMessageEntireTimeMax": "\(snapshot.longestRead.wholeMilliseconds)", "dispatchMaxBuffer": "0",
            "putLatency99": "\(snapshot.times.milliseconds(share: 0.99))",
            "putLatency999": "\(snapshot.times.milliseconds(share: 0.999))", "pageCacheLockTimeMills": "0",
        ]
    }

    private func pools() -> [String: String] {
        var table: [String: String] = [:]
        for name in ["send", "pull", "query"] {
            table["\(name)ThreadPoolQueueSize"] = "0"
            table["\(name)ThreadPoolQueueHeadWaitTimeMills"] = "0"
            let key = ConfigurationKeys.find("\(name)ThreadPoolQueueCapacity")
            table["\(name)ThreadPoolQueueCapacity"] = key?.value(in: broker.settings.configuration) ?? "0"
        }
        table["EndTransactionQueueSize"] = "0"
        let key = ConfigurationKeys.find("endTransactionPoolQueueCapacity")
        table["EndTransactionThreadPoolQueueCapacity"] = key?.value(in: broker.settings.configuration) ?? "0"
        return table
    }

    private func store() -> [String: String] {
        let store = broker.store
        let end = store.appendedOffset
        return [
            "dispatchBehindBytes": "\(max(0, end - store.dispatchedOffset))",
            "commitLogMinOffset": "\(store.minimumLogOffset.rawValue)", "commitLogMaxOffset": "\(end.rawValue)",
            "earliestMessageTimeStamp": "\(store.earliestStoreTimestamp?.milliseconds ?? -1)",
            "remainTransientStoreBufferNumbs": "0", "remainHowManyDataToCommit": "0",
            "remainHowManyDataToFlush": "\(max(0, end - store.flushedOffset))",
        ]
    }

    private func disk() -> [String: String] {
        let storage = broker.settings.configuration.storage
        let directories =
            storage.commitLogDirectories.isEmpty
            ? [storage.directory + "/commitlog"] : storage.commitLogDirectories
        let device = FileDevice()
        var table: [String: String] = [:]
        var ratios: [Double] = []
        for directory in directories {
            guard let space = try? device.space(at: directory) else { continue }
            ratios.append(space.usedRatio)
            if directories.count > 1 { table["commitLogDiskRatio_\(directory)"] = "\(space.usedRatio)" }
            let line = "Total : \(Self.gigabytes(space.total)), Free : \(Self.gigabytes(space.available))."
            table["commitLogDirCapacity"] = line
        }
        table["commitLogDiskRatio"] = "\(ratios.min() ?? -1)"
        table["consumeQueueDiskRatio"] = "\((try? device.space(at: storage.directory).usedRatio) ?? -1)"
        return table
    }

    private static func gigabytes(_ bytes: Int) -> String {
        let tenths = bytes / (1 << 30) * 10 + bytes % (1 << 30) * 10 / (1 << 30)
        return "\(tenths / 10).\(tenths % 10) GiB"
    }

    private func delays() -> [String: String] {
        let offsets = broker.delays.levelOffsets()
        let pairs = offsets.map { level, offset in
            let end = broker.maximumOffset(SystemTopic.schedule, level - 1)
            return ("scheduleMessageOffset_\(level)", "\(offset),\(end)")
        }
        return Dictionary(pairs) { first, _ in first }
    }
}
