import NIOCore
import Testing

@testable import MQProtocol

@Suite struct IDTests {
    @Test func offsetIDOfVectors() throws {
        let host = HostAddress(ip: .v4(0x0A01_0203), port: 10911)
        let id = OffsetMessageID(host: host, offset: LogOffset(rawValue: 123_456_789))
        #expect(id.hex == "0A01020300002A9F00000000075BCD15")
        #expect(OffsetMessageID("0A01020300002A9F00000000075BCD15") == id)
        #expect(OffsetMessageID("0a01020300002a9f00000000075bcd15") == id)
        let local = OffsetMessageID(host: HostAddress(ip: .v4(0x7F00_0002), port: 20911), offset: .zero)
        #expect(local.hex == "7F000002000051AF0000000000000000")
        var buffer = ByteBuffer()
        local.write(to: &buffer)
        #expect(String(buffer: buffer) == local.hex)
    }

    @Test func offsetIDWithIPv6() throws {
        let host = try #require(HostAddress("[::1]:20911"))
        let id = OffsetMessageID(host: host, offset: LogOffset(rawValue: 7))
        #expect(id.hex == "00000000000000000000000000000001000051AF0000000000000007")
        #expect(OffsetMessageID(id.hex) == id)
    }

    @Test func refusesWhatIsNoID() {
        let zeros = String(repeating: "0", count: 31)
        for text in ["", "7F00", zeros, String(repeating: "g", count: 32), "é" + zeros.dropLast()] {
            #expect(OffsetMessageID(text) == nil)
            #expect(UniqueID(text) == nil)
        }
    }

    @Test func uniqueIDOfALiveClient() throws {
        let text = "FD00000000000000000000000000000201E31DBD16A6676051370000"
        let id = try #require(UniqueID(text))
        #expect(id.ip.description == "fd00::2")
        #expect(id.processID == 483)
        #expect(id.discriminator == 0x1DBD_16A6)
        #expect(id.monthMilliseconds == 1_734_365_495)
        #expect(id.counter == 0)
        #expect(id.hex == text)
        let received = Timestamp(milliseconds: 1_795_225_565_500)
        #expect(id.timestamp(now: received, month: november).milliseconds == 1_795_225_565_495)
    }

    @Test func anIDFromLastMonthIsDecodedAsSuch() throws {
        let id = try #require(UniqueID("0A01020301E31DBD16A6676051370000"))
        let soon = Timestamp(milliseconds: 1_793_491_200_000 + 5000)
        let october = Int64(1_793_491_200_000) - 31 * 86_400_000
        #expect(id.timestamp(now: soon, month: november).milliseconds == october + 1_734_365_495)
    }

    @Test func generatesWhatAStockClientWould() throws {
        let clock = ManualClock(start: Timestamp(milliseconds: 1_795_225_565_495))
        let ip = try #require(HostAddress.IP("fd00::2"))
        let generator = UniqueIDGenerator(
            ip: ip, processID: 483, discriminator: 0x1DBD_16A6, time: .manual(clock), month: { november($0) })
        #expect(generator.next().hex == "FD00000000000000000000000000000201E31DBD16A6676051370000")
        clock.advance(by: .milliseconds(149))
        #expect(generator.next().hex == "FD00000000000000000000000000000201E31DBD16A6676051CC0001")
    }

    @Test func theCounterWrapsAndTheProcessIDIsCut() {
        let clock = ManualClock(start: Timestamp(milliseconds: 1_795_225_565_495))
        let generator = UniqueIDGenerator(
            ip: .v4(0x0A01_0203), processID: 0x0012_3456, discriminator: 1, time: .manual(clock),
            month: { november($0) })
        var seen: Set<UniqueID> = []
        for _ in 0..<65_536 { seen.insert(generator.next()) }
        #expect(seen.count == 65_536)
        let next = generator.next()
        #expect(next.counter == 0)
        #expect(next.processID == 0x3456)
        #expect(next.hex.utf8.count == 32)
    }

    @Test func aClockSetBackALittleGivesTheMonthsStart() {
        let start = Timestamp(milliseconds: 1_793_491_200_000)
        let clock = ManualClock(start: start)
        let generator = UniqueIDGenerator(
            ip: .v4(1), processID: 1, discriminator: 1, time: .manual(clock), month: { november($0) })
        clock.set(to: start.advanced(by: .milliseconds(-999_999)))
        #expect(generator.next().monthMilliseconds == 0)
        clock.set(to: start.advanced(by: .milliseconds(-1_000_000)))
        #expect(Int32(bitPattern: generator.next().monthMilliseconds) == -1_000_000)
    }

    @Test func theNextMonthStartsAtZero() {
        let december = Timestamp(milliseconds: 1_793_491_200_000 + 30 * 86_400_000)
        let clock = ManualClock(start: december.advanced(by: .milliseconds(-1)))
        let generator = UniqueIDGenerator(
            ip: .v4(1), processID: 1, discriminator: 1, time: .manual(clock), month: { november($0) })
        #expect(generator.next().monthMilliseconds == 30 * 86_400_000 - 1)
        clock.advance(by: .milliseconds(1))
        #expect(generator.next().monthMilliseconds == 0)
    }

    @Test func idsAreUniqueAcrossThreads() async {
        let generator = UniqueIDGenerator(ip: .v4(1), processID: 1, discriminator: 1)
        let all = await withTaskGroup(of: [UniqueID].self) { group in
            for _ in 0..<4 { group.addTask { (0..<5000).map { _ in generator.next() } } }
            return await group.reduce(into: []) { $0 += $1 }
        }
        #expect(Set(all).count == 20_000)
    }

    @Test func theLocalMonthContainsNow() {
        let now = TimeSource.system.now()
        let month = PlatformClock.localMonth(containing: now)
        #expect(month.contains(now))
        let days = month.lowerBound.duration(to: month.upperBound) / 86_400_000
        #expect(days > .milliseconds(27) && days < .milliseconds(32))
    }
}

/// The months around November 2026 in UTC.
@Sendable private func november(_ time: Timestamp) -> Range<Timestamp> {
    let start = Timestamp(milliseconds: 1_793_491_200_000)
    let day = Int64(86_400_000)
    let october = Timestamp(milliseconds: start.milliseconds - 31 * day)
    let december = Timestamp(milliseconds: start.milliseconds + 30 * day)
    if time < start { return october..<start }
    return time < december ? start..<december : december..<Timestamp(milliseconds: december.milliseconds + 31 * day)
}
