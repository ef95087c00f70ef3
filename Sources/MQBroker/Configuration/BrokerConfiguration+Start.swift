import MQProtocol
public import MQStore

/// What is checked and derived before a broker starts.
extension BrokerConfiguration {
    /// The store's part of this configuration.
    public func storeConfiguration() -> StoreConfiguration {
        var store = StoreConfiguration(directory: storage.directory)
        store.commitLogDirectories = storage.commitLogDirectories
        store.readOnlyLogDirectories = storage.readOnlyLogDirectories
        store.segmentBytes = storage.segmentBytes
        store.queueSegmentEntries = storage.queueSegmentBytes / 20
        store.indexSlots = storage.indexSlots
        store.indexEntries = storage.indexEntries
        store.indexesKeys = storage.messageIndex
        store.flush = storage.synchronousFlush ? .synchronous : .asynchronous(interval: storage.flushInterval)
        store.maximumBodyBytes = storage.maximumBodyBytes
        store.retention = storage.retention
        store.deletionHours = Set(storage.deleteHours)
        store.deletionPercent = storage.diskUsePercent
        store.deletesForcibly = storage.forcedDeletion
        store.forcedDeletionRatio = Double(storage.forcedDeletionPercent) / 100
        store.diskFullRatio = Double(storage.diskFullPercent) / 100
        store.checksBodiesOnRecovery = storage.checksOnRecovery
        store.appendsRecordChecksum = storage.recordChecksum
        store.coldDistance = storage.coldDistance
        store.diskDistance = PhysicalMemory.bytes / 100 * storage.memoryPercent
        store.delayLevels = delayLevels
        return store
    }

    /// Decides under which host the broker is known, and puts it into ``Network/advertisedHost``.
    ///
    /// - Parameter interfaces: this machine's addresses that others may be able to reach, in order of preference.
    /// - Throws: ``ConfigurationError`` with the line to add, when clients elsewhere would be sent to an address that
    ///   is not this machine's, and for roles that this broker does not have.
    public mutating func prepareToStart(interfaces: [String]) throws(ConfigurationError) {
        guard role != .slave else {
            throw ConfigurationError(
                .unsupported,
                "brokerRole=SLAVE: this broker does not replicate yet, and an empty slave would make consumers lose "
                    + "their place. Start the master only, or keep RocketMQ's own slave."
            )
        }
        if network.advertisedHost == nil { network.advertisedHost = Self.publishedHost(network, interfaces) }
        let host = network.advertisedHost ?? network.boundHost
        guard Network.isLoopback(host), let elsewhere = nameServers.first(where: { !Self.isLocal($0) }) else { return }
        let suggestion = interfaces.first ?? "<an address of this machine>"
        throw ConfigurationError(
            .contradiction,
            "namesrvAddr names \(elsewhere), which is on another machine, but clients would be sent to \(host). "
                + "Add this line to the file given with -c: brokerIP1=\(suggestion)"
        )
    }

    /// A wildcard is no address; what RocketMQ takes instead is the first address of the machine.
    private static func publishedHost(_ network: Network, _ interfaces: [String]) -> String {
        let bound = network.boundHost
        guard bound == "0.0.0.0" || bound == "::" else { return bound }
        return interfaces.first ?? "127.0.0.1"
    }

    private static func isLocal(_ nameServer: String) -> Bool {
        guard let colon = nameServer.lastIndex(of: ":") else { return false }
        let host = nameServer[..<colon].filter { $0 != "[" && $0 != "]" }
        return Network.isLoopback(host)
    }
}
