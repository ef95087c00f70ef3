import MQProtocol
import Testing

@testable import MQStore

/// A wrong size makes of good files damaged ones, and of damaged files good ones.
@Suite struct StoreShapeTests {
    private static let log = "/store/commitlog/00000000000000000000"
    private static let nextLog = "/store/commitlog/00000000000000004096"
    private static let queue = "/store/consumequeue/T/0/00000000000000000000"
    private static let index = "/store/index/20260101000000000"

    /// A directory with files of these lengths.
    private func device(_ files: [String: Int]) throws -> SimulatedDevice {
        let device = SimulatedDevice(seed: 1)
        for (path, length) in files {
            try device.createDirectory(FileDevice.parent(of: path))
            try device.open(path, .create).setLength(length)
        }
        return device
    }

    private func shape(_ files: [String: Int], named: Set<StoreShape.Size>? = nil) throws -> StoreConfiguration {
        var configuration = StoreConfiguration(directory: "/store")
        try StoreShape.apply(to: &configuration, device: device(files), named: named)
        return configuration
    }

    @Test func twoFilesThatAgreeShowTheirSize() throws {
        let other = "/store/consumequeue/T/1/00000000000000000000"
        let found = try shape([
            Self.log: 4096, Self.nextLog: 4096, "/store/commitlog/00000000000000008192": 100, Self.queue: 400,
            other: 400, Self.index: 8440, "/store/index/20260101000000001": 8440,
        ])
        #expect(found.segmentBytes == 4096)
        #expect(found.queueSegmentEntries == 20)
        #expect(found.indexSlots == 100 && found.indexEntries == 400)
    }

    /// Either of them may be the one that was cut.
    @Test(arguments: [(4096, 100), (100, 4096), (4096, 0)])
    func aFileAndTheNameOfTheNextShowTheSize(first: Int, second: Int) throws {
        #expect(try shape([Self.log: first, Self.nextLog: second]).segmentBytes == 4096)
    }

    @Test func aSingleFileOfADefaultSizeIsBelieved() throws {
        let found = try shape([Self.log: 64 << 20, Self.queue: 6_000_000, Self.index: 42_000_040])
        #expect(found.segmentBytes == 64 << 20)
        #expect(found.queueSegmentEntries == 300_000)
        #expect(found.indexSlots == 500_000 && found.indexEntries == 2_000_000)
    }

    @Test func aStoreWithoutFilesHasTheDefaults() throws {
        let found = try shape([Self.log: 0])
        #expect(found.segmentBytes == 1 << 30 && found.queueSegmentEntries == 300_000)
    }

    /// The third has a default length, and a name that no file of that length has.
    @Test(arguments: [
        ("commitlog/00000000000000000000", 16_384, "mappedFileSizeCommitLog"),
        ("commitlog/00000000000000000000", 1000, "mappedFileSizeCommitLog"),
        ("commitlog/00000000000000004096", 64 << 20, "mappedFileSizeCommitLog"),
        ("consumequeue/T/0/00000000000000000000", 400, "mappedFileSizeConsumeQueue"),
        ("index/20260101000000000", 8440, "maxHashSlotNum"),
    ])
    func theLengthOfASingleFileIsNoSize(name: String, length: Int, key: String) throws {
        let path = "/store/\(name)"
        let error = #expect(throws: StoreError.self) { try shape([path: length]) }
        #expect(error?.code == .configuration)
        let text = error?.message ?? ""
        #expect(text.contains(path) && text.contains("\(length) bytes"), "what it is about")
        #expect(text.contains("-c") && text.contains(key), "what to do about it")
        let usual = StoreConfiguration(directory: "/store")
        let found = try shape([path: length], named: [])
        #expect(found.segmentBytes == usual.segmentBytes, "the broker whose file does not name it has the default")
        #expect(found.queueSegmentEntries == usual.queueSegmentEntries)
        #expect(found.indexSlots == usual.indexSlots && found.indexEntries == usual.indexEntries)
    }

    @Test func whatTheBrokersFileNamesIsNotOverridden() throws {
        let files = [Self.log: 4096, Self.nextLog: 4096, Self.queue: 6_000_000]
        #expect(try shape(files, named: [.logFile]).segmentBytes == 1 << 30)
        #expect(try shape(files, named: [.queueFile]).segmentBytes == 4096)
    }
}
