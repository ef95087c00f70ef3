import Foundation
import ProcessSupport

/// Properties of brokers under test.
enum StoreSettings {
    static let segmentBytes = 1 << 20

    /// Files so small that a test of seconds fills several of each kind.
    static let small = [
        "mappedFileSizeCommitLog": "\(segmentBytes)",
        "maxMessageSize": "65536",
        "mappedFileSizeConsumeQueue": "2000",
        "maxHashSlotNum": "500",
        "maxIndexNum": "2000",
    ]

    static func options(
        store: String, flush: String = "SYNC_FLUSH", _ more: [String: String] = [:]
    ) -> BrokerProcess.Options {
        var properties = small.merging(more) { _, given in given }
        properties["flushDiskType"] = flush
        return BrokerProcess.Options(store: store, properties: properties)
    }
}

/// Files of a store whose broker is not running.
enum StoreFiles {
    /// Nothing happens when it is not there: queues and index reach their files a while after the log.
    static func remove(_ path: String, in store: String) throws {
        let full = store + "/" + path
        guard FileManager.default.fileExists(atPath: full) else { return }
        try FileManager.default.removeItem(atPath: full)
    }

    /// Paths below `directory`, relative to it.
    static func all(in directory: String) -> [String] {
        (FileManager.default.enumerator(atPath: directory)?.compactMap { $0 as? String } ?? []).sorted()
    }

    static func overwrite(_ file: String, at position: Int, with bytes: [UInt8]) throws {
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: file))
        try handle.seek(toOffset: UInt64(position))
        try handle.write(contentsOf: bytes)
        try handle.close()
    }
}
