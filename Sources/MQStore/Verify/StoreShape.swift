import NIOCore

/// The file sizes of a store as its files show them: a tool is not told what the broker was.
package enum StoreShape {
    /// What could be told from the files; the rest stays as configured.
    package static func apply(
        to configuration: inout StoreConfiguration, device: any StorageDevice
    ) throws(StoreError) {
        if let length = try segmentLength(configuration, device) { configuration.segmentBytes = length }
        if let length = try queueLength(configuration, device), length % QueueEntry.bytes == 0 {
            configuration.queueSegmentEntries = length / QueueEntry.bytes
        }
        if let length = try indexLength(configuration, device),
            length != IndexGeometry(slots: configuration.indexSlots, entries: configuration.indexEntries).fileBytes,
            let slots = slots(ofFileBytes: length)
        {
            configuration.indexSlots = slots
            configuration.indexEntries = 4 * slots
        }
    }

    /// With four entries to a slot, as in RocketMQ's default and in ours.
    static func slots(ofFileBytes length: Int) -> Int? {
        let rest = length - IndexHeader.bytes
        let perSlot = 4 + 4 * IndexEntry.bytes
        return rest > 0 && rest % perSlot == 0 ? rest / perSlot : nil
    }

    private static func segmentLength(
        _ configuration: StoreConfiguration, _ device: any StorageDevice
    ) throws(StoreError) -> Int? {
        var lengths: [Int] = []
        for directory in configuration.allLogDirectories {
            for entry in try device.list(directory) ?? [] where SegmentName.offset(entry.name) != nil {
                lengths.append(entry.length)
            }
        }
        return mostFrequent(lengths.filter { $0 > 8 })
    }

    private static func queueLength(
        _ configuration: StoreConfiguration, _ device: any StorageDevice
    ) throws(StoreError) -> Int? {
        let root = "\(configuration.directory)/consumequeue"
        var lengths: [Int] = []
        for topic in try device.list(root) ?? [] where topic.isDirectory {
            for queue in try device.list("\(root)/\(topic.name)") ?? [] where queue.isDirectory {
                let files = try device.list("\(root)/\(topic.name)/\(queue.name)") ?? []
                lengths += files.filter { !$0.isDirectory && $0.name.utf8.count == 20 }.map(\.length)
                if lengths.count > 64 { return mostFrequent(lengths) }
            }
        }
        return mostFrequent(lengths.filter { $0 > 0 })
    }

    private static func indexLength(
        _ configuration: StoreConfiguration, _ device: any StorageDevice
    ) throws(StoreError) -> Int? {
        let files = try device.list("\(configuration.directory)/index") ?? []
        return mostFrequent(files.filter { IndexName.isName($0.name) && $0.length > 0 }.map(\.length))
    }

    /// Of several equally frequent ones the largest: damage makes files shorter.
    private static func mostFrequent(_ lengths: [Int]) -> Int? {
        var counts: [Int: Int] = [:]
        for length in lengths { counts[length, default: 0] += 1 }
        return counts.max { ($0.value, $0.key) < ($1.value, $1.key) }?.key
    }
}
