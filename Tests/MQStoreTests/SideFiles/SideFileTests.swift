import MQProtocol
import NIOCore
import TestSupport
import Testing

@testable import MQStore

@Suite struct SideFileTests {
    struct Unreadable: Error {}

    private let device = SimulatedDevice(seed: 1)
    private let complaints = LogLines()
    private var file: SideFile {
        return SideFile(
            device: device, path: "/store/config/topics.json", logger: complaints.logger)
    }

    private func load() throws -> (String?, SideFile.Source) {
        let loaded = try file.load { text in
            let text = String(buffer: text)
            guard text.hasPrefix("{"), text.hasSuffix("}") else { throw Unreadable() }
            return text
        }
        return (loaded.value, loaded.source)
    }

    private func overwrite(_ path: String, _ text: String) throws {
        let file = try device.open(path, .truncate)
        try file.write(ByteBuffer(string: text), at: 0)
    }

    @Test func missingThenSavedThenReplaced() throws {
        #expect(try load() == (nil, .missing))
        try file.save(ByteBuffer(string: "{1}"))
        #expect(try load() == ("{1}", .main))
        #expect(try device.contents(of: "/store/config/topics.json.bak") == nil)
        try file.save(ByteBuffer(string: "{2}"))
        #expect(try load() == ("{2}", .main))
        #expect(try device.contents(of: "/store/config/topics.json.bak") == ByteBuffer(string: "{1}"))
        #expect(complaints.all.isEmpty)
    }

    @Test(arguments: ["", "{torn", "\0\0\0\0\0"])
    func damagedMainFallsBackAndSaysSo(content: String) throws {
        try file.save(ByteBuffer(string: "{1}"))
        try file.save(ByteBuffer(string: "{2}"))
        try overwrite("/store/config/topics.json", content)
        #expect(try load() == ("{1}", .backup))
        #expect(complaints.all.count == 1)
        #expect(complaints.all.first?.contains("/store/config/topics.json") ?? false)
        #expect(try load() == ("{1}", .main), "the backup became the main file")
        try file.save(ByteBuffer(string: "{3}"))
        #expect(try device.contents(of: "/store/config/topics.json.bak") == ByteBuffer(string: "{1}"))
        #expect(try device.exists("/store/config/topics.json.damaged"))
    }

    @Test func aFlippedBitInASealedTextIsNoticedOrDoesNoHarm() throws {
        let file = SideFile(
            device: device, path: "/store/config/offsets.json", seal: .binding, logger: complaints.logger)
        func load() throws -> Int64? {
            try file.load { try JSONReader.parse($0)["offset"]?.integer }.value.flatMap { $0 }
        }
        func save() throws {
            for offset in [12_345, 67_890] { try file.save(ByteBuffer(string: #"{"offset": \#(offset)}"#)) }
        }
        try save()
        #expect(try load() == 67_890)
        let size = try #require(try device.contents(of: "/store/config/offsets.json")?.readableBytes)
        var noticed = 0
        for bit in 0..<8 * size {
            try save()
            device.flipBit("/store/config/offsets.json", byte: bit / 8, bit: bit % 8)
            let offset = try load()
            #expect(offset == 67_890 || offset == 12_345, "bit \(bit)")
            if offset == 12_345 { noticed += 1 }
        }
        #expect(noticed >= 8 * (size - 33), "all that are not in the seal itself")
    }

    /// One bit must not keep a broker from starting, nor a damaged version take the place of the last good one.
    @Test func aSealedFileHasAGoodPreviousVersionFromTheFirstSaveOn() throws {
        let path = "/store/config/offsets.json"
        let file = SideFile(device: device, path: path, seal: .binding, logger: complaints.logger)
        try file.save(ByteBuffer(string: "{1}"))
        device.flipBit(path, byte: 1, bit: 0)
        #expect(try file.load { String(buffer: $0) }.value?.hasPrefix("{1}") == true)
        device.flipBit(path, byte: 1, bit: 0)
        try file.save(ByteBuffer(string: "{2}"))
        device.flipBit(path, byte: 1, bit: 0)
        #expect(try file.load { String(buffer: $0) }.value?.hasPrefix("{1}") == true)
    }

    @Test func aTextThatPeopleMayChangeIsUsedAndReported() throws {
        let file = SideFile(
            device: device, path: "/store/config/topics.json", seal: .advisory, logger: complaints.logger)
        try file.save(ByteBuffer(string: "{1}"))
        #expect(try file.load { $0 }.value == device.contents(of: "/store/config/topics.json"))
        #expect(complaints.all.isEmpty)
        device.flipBit("/store/config/topics.json", byte: 1, bit: 0)
        #expect(try file.load { String(buffer: $0) }.value?.hasPrefix("{0}") == true)
        #expect(complaints.all.count == 1)
        #expect(complaints.all.first?.contains("/store/config/topics.json is used as it is") == true)
        try file.save(ByteBuffer(string: "{2}"))
        #expect(try device.contents(of: "/store/config/topics.json.bak") == nil, "no damaged one takes its place")
    }

    /// A stock broker writes the file anew without a seal, a person may too.
    @Test func aTextWithoutASealIsBelieved() throws {
        let file = SideFile(
            device: device, path: "/store/config/offsets.json", seal: .binding, logger: complaints.logger)
        try file.save(ByteBuffer(string: "{1}"))
        try overwrite("/store/config/offsets.json", "{2}")
        #expect(try file.load { String(buffer: $0) }.value == "{2}")
        #expect(complaints.all.isEmpty)
    }

    @Test func nothingReadableIsCorrupt() throws {
        try file.save(ByteBuffer(string: "{1}"))
        try file.save(ByteBuffer(string: "{2}"))
        try overwrite("/store/config/topics.json", "x")
        try overwrite("/store/config/topics.json.bak", "y")
        let error = #expect(throws: StoreError.self) { try load() }
        #expect(error?.code == .corrupt)
        #expect(error?.message.contains("topics.json.bak") ?? false)
    }

    @Test func whatAStartCanDoWithoutIsKeptAsideAndCountsAsMissing() throws {
        try file.save(ByteBuffer(string: "{1}"))
        try file.save(ByteBuffer(string: "{2}"))
        try overwrite("/store/config/topics.json", "x")
        try overwrite("/store/config/topics.json.bak", "y")
        let parse = { (text: ByteBuffer) throws -> String in
            throw StoreError(.corrupt, "\(text.readableBytes) bytes that say nothing")
        }
        #expect(try file.loadIfReadable(parse) == nil)
        #expect(try !device.exists("/store/config/topics.json"))
        #expect(try device.contents(of: "/store/config/topics.json.damaged").map { String(buffer: $0) } == "x")
        try file.save(ByteBuffer(string: "{1}"))
        #expect(try file.loadIfReadable { String(buffer: $0) } == "{1}")
    }

    @Test func failedSaveLeavesTheOldContent() throws {
        try file.save(ByteBuffer(string: "{1}"))
        for operation in [SimulatedDevice.Operation.write, .flush, .rename] {
            device.fail(operation)
            #expect(throws: StoreError.self) { try file.save(ByteBuffer(string: "{2}")) }
            device.clearFaults()
            #expect(try load().0 == "{1}")
        }
    }

    @Test func powerLossAtAnyMomentLeavesOneOfTheVersions() throws {
        let seed = TestSeed.current
        for round in 0..<50 {
            let device = SimulatedDevice(seed: seed &+ UInt64(round))
            let file = SideFile(device: device, path: "/store/config/a.json", logger: LogFixture.silent)
            try file.save(ByteBuffer(string: "{1}"))
            let failing = [SimulatedDevice.Operation.write, .flush, .rename, .syncDirectory][round % 4]
            device.fail(failing, after: round / 4 % 3, permanently: true)
            let saved = (try? file.save(ByteBuffer(string: "{22}"))) != nil
            device.crash()
            device.clearFaults()
            let loaded = try file.load { String(buffer: $0) }
            #expect(
                saved ? loaded.value == "{22}" : ["{1}", "{22}"].contains(loaded.value), "seed \(seed) round \(round)")
        }
    }
}
