import NIOCore
import Testing

@testable import MQStore

@Suite struct SimulatedDeviceTests {
    private func contents(_ device: SimulatedDevice, _ path: String) throws -> [UInt8]? {
        try device.contents(of: path).map { Array($0.readableBytesView) }
    }

    @Test func `After a crash each unflushed sector is old or new, flushed ones stay`() throws {
        var outcomes: Set<[UInt8]> = []
        for seed in 0..<200 {
            let device = SimulatedDevice(seed: UInt64(seed))
            let file = try device.open("/f", .create)
            try file.setLength(2048)
            try file.write(ByteBuffer(repeating: 1, count: 2048), at: 0)
            try file.flush()
            try device.syncDirectory("/")
            try file.write(ByteBuffer(repeating: 2, count: 1024), at: 512)
            device.crash()
            #expect(throws: StoreError.self) { try file.length() }
            let bytes = try #require(try contents(device, "/f"))
            for sector in 0..<4 { #expect(Set(bytes[sector * 512..<sector * 512 + 512]).count == 1) }
            outcomes.insert([0, 512, 1024, 1536].map { bytes[$0] })
        }
        #expect(outcomes == [[1, 1, 1, 1], [1, 2, 1, 1], [1, 1, 2, 1], [1, 2, 2, 1]])
    }

    @Test func `Names are durable only after the directory was flushed`() throws {
        var survived: Set<Bool> = []
        for seed in 0..<50 {
            let device = SimulatedDevice(seed: UInt64(seed))
            try device.open("/a", .create).flush()
            try device.syncDirectory("/")
            try device.rename("/a", to: "/b")
            device.crash()
            let names = try #require(try device.list("/")).map(\.name)
            #expect(names == ["a"] || names == ["b"] || names == ["a", "b"])
            survived.insert(names.contains("b"))
        }
        #expect(survived == [true, false])
    }

    @Test func `Faults hit the call they are meant for, once or for good`() throws {
        let device = SimulatedDevice(seed: 1)
        let file = try device.open("/f", .create)
        device.fail(.write, after: 1, errorNumber: 28)
        try file.write(ByteBuffer(string: "a"), at: 0)
        let error = #expect(throws: StoreError.self) { try file.write(ByteBuffer(string: "b"), at: 0) }
        #expect(error?.code == .diskFull)
        try file.write(ByteBuffer(string: "c"), at: 0)
        device.fail(.flush, permanently: true)
        for _ in 0..<3 { #expect(throws: StoreError.self) { try file.flush() } }
        device.clearFaults()
        try file.flush()
        #expect(device.count(.flush) == 4)
    }

    @Test func `A failed flush forgets what it could not write, and each handle hears of it once`() throws {
        let device = SimulatedDevice(seed: 5)
        let file = try device.open("/f", .create)
        let other = try device.open("/f", .readWrite)
        try device.syncDirectory("/")
        try file.write(ByteBuffer(repeating: 7, count: 64 * 512), at: 0)
        device.fail(.flush)
        #expect(throws: StoreError.self) { try file.flush() }
        try file.flush()
        #expect(throws: StoreError.self) { try other.flush() }
        try other.flush()
        device.crash()
        let bytes = try #require(try contents(device, "/f"))
        #expect(Set(bytes) == [0, 7], "some sectors are missing although the second flush succeeded")
    }

    @Test func `A full disk takes what fits`() throws {
        let device = SimulatedDevice(seed: 1, capacity: 8192)
        let file = try device.open("/f", .create)
        let error = #expect(throws: StoreError.self) { try file.write(ByteBuffer(repeating: 1, count: 10_000), at: 0) }
        #expect(error?.code == .diskFull)
        #expect(try file.length() == 8192 && device.space(at: "/").available == 0)
        try file.write(ByteBuffer(repeating: 2, count: 8192), at: 0)
        try device.remove("/f")
        #expect(try device.space(at: "/").available == 8192)
    }

    @Test func `Maps show later writes; bits flip; locks end with a crash`() throws {
        let device = SimulatedDevice(seed: 1)
        let file = try device.open("/f", .create)
        try file.setLength(4096)
        let region = try file.map(length: 4096)
        try file.write(ByteBuffer(string: "x"), at: 100)
        #expect(region.withBytes(100..<101) { $0[0] } == UInt8(ascii: "x"))
        device.flipBit("/f", byte: 100, bit: 0)
        #expect(region.withBytes(100..<101) { $0[0] } == UInt8(ascii: "y"))
        let lock = try device.lock("/lock")
        #expect(throws: StoreError.self) { try device.lock("/lock") }
        device.crash()
        _ = try device.lock("/lock")
        withExtendedLifetime(lock) {}
    }
}
