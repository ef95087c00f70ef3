import Testing

@testable import MQStore

@Suite struct StoreConfigurationTests {
    @Test func `Every impossible value is refused by the name of its key`() throws {
        try StoreConfiguration(directory: "/x").validate()
        let cases: [(String, (inout StoreConfiguration) -> Void)] = [
            ("storePathRootDir", { $0.directory = "" }),
            ("storePathCommitLog", { $0.commitLogDirectories = ["/a", "/a"] }),
            ("mappedFileSizeCommitLog", { $0.segmentBytes = 8 }),
            ("mappedFileSizeCommitLog", { $0.segmentBytes = 1 << 31 }),
            ("maxMessageSize", { $0.maximumBodyBytes = 0 }),
            ("zeroFillWindow", { $0.zeroFillWindow = -1 }),
            ("flushIntervalCommitLog", { $0.flush = .asynchronous(interval: .zero) }),
            ("mappedFileSizeConsumeQueue", { $0.queueSegmentEntries = 0 }),
            ("maxHashSlotNum", { $0.indexSlots = 0 }),
            ("maxIndexNum", { $0.indexEntries = 1 }),
            ("fileReservedTime", { $0.retention = .zero }),
            ("deleteWhen", { $0.deletionHours = [24] }),
            ("diskMaxUsedSpaceRatio", { $0.deletionPercent = 96 }),
            ("diskSpaceCleanForciblyRatio", { $0.forcedDeletionRatio = 0 }),
            ("diskSpaceWarningLevelRatio", { $0.diskFullRatio = 1.5 }),
        ]
        for (key, change) in cases {
            var configuration = StoreConfiguration(directory: "/x")
            change(&configuration)
            let error = #expect(throws: StoreError.self) { try configuration.validate() }
            #expect(error?.code == .configuration && error?.message.contains(key) == true)
        }
    }
}
