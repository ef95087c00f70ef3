import NIOCore
import Testing

@testable import MQProtocol

@Suite struct BatchTests {
    private static let computed = """
        0000003700000000000000000000000500000006626174636830001b4b4559530142300257414954017472756502544147530154616742
        """

    private static let live = """
        0000007900000000000000000000000000000006626174636830005d4b45595301423002554e49515f4b45590146443030303030 \
        30303030303030303030303030303030303030303030303032303145333144424431364136363736303532303830303038025741 \
        49540174727565025441475301546167420000007900000000000000000000000000000006626174636831005d4b455953014231 \
        02554e49515f4b455901464430303030303030303030303030303030303030303030303030303030303230314533314442443136 \
        41363637363035323038303030390257414954017472756502544147530154616742000000790000000000000000000000000000 \
        0006626174636832005d4b45595301423202554e49515f4b45590146443030303030303030303030303030303030303030303030 \
        303030303030323031453331444244313641363637363035323038303030410257414954017472756502544147530154616742
        """

    @Test func writesAnItem() throws {
        let item = BatchItem(
            flag: 5, body: ByteBuffer(string: "batch0"),
            properties: ByteBuffer(propertySymbols: "KEYS␁B0␂WAIT␁true␂TAGS␁TagB"))
        var buffer = ByteBuffer()
        try item.write(to: &buffer)
        #expect(buffer == ByteBuffer(hexText: Self.computed))
        #expect(item.encodedBytes == 55)
        #expect(try BatchItem.decode(buffer) == [item])
    }

    @Test func readsTheItemsOfALiveBatch() throws {
        let body = ByteBuffer(hexText: Self.live)
        #expect(body.readableBytes == 363)
        let items = try BatchItem.decode(body)
        #expect(items.map { String(buffer: $0.body) } == ["batch0", "batch1", "batch2"])
        #expect(items.map { MessageProperties(text: $0.properties)["KEYS"] } == ["B0", "B1", "B2"])
        #expect(items.allSatisfy { $0.flag == 0 })
        var again = ByteBuffer()
        for item in items { try item.write(to: &again) }
        #expect(again == body)
    }

    @Test func everyPrefixIsTruncatedOrWhole() throws {
        let body = ByteBuffer(hexText: Self.live)
        for length in 0..<body.readableBytes {
            let part = try #require(body.getSlice(at: 0, length: length))
            if length.isMultiple(of: 121) {
                #expect(try BatchItem.decode(part).count == length / 121)
            } else {
                let error = #expect(throws: RecordError.self) { try BatchItem.decode(part) }
                #expect(error?.code == .truncated)
            }
        }
    }

    @Test func refusesNegativeLengths() {
        for position in [16, 26] {
            var body = ByteBuffer(hexText: Self.computed)
            body.setInteger(Int16(-1), at: position)
            let error = #expect(throws: RecordError.self) { try BatchItem.decode(body) }
            #expect(error?.code == .malformed)
        }
    }

    @Test func refusesToWriteWhatDoesNotFit() {
        let item = BatchItem(body: ByteBuffer(), properties: ByteBuffer(repeating: 65, count: 32_768))
        var buffer = ByteBuffer()
        #expect(throws: RecordError.self) { try item.write(to: &buffer) }
        #expect(buffer.readableBytes == 0)
    }
}
