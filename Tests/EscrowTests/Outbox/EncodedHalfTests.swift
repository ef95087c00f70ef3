import Foundation
import MQClient
import Testing

@testable import Escrow

@Suite struct EncodedHalfTests {
    private let half = HalfMessage(
        topic: "shop%orders \"1\"", brokerName: "b", brokerAddress: "127.0.0.1:10911", queueID: -3,
        logOffset: 1 << 60, queueOffset: 7, messageID: "ID", transactionID: "TX", status: .replicationTimedOut,
        keepsVerdictsFinal: true)

    @Test func whatIsWrittenIsRead() {
        #expect(EncodedHalf(text: EncodedHalf(half).text)?.message == half)
    }

    /// Rows of an earlier run were written by another encoder.
    @Test func anyJSONOfItIsRead() throws {
        let json = String(decoding: try JSONEncoder().encode(half), as: UTF8.self)
        #expect(EncodedHalf(text: json)?.message == half)
        for text in ["", "{}", "[]", "{\"topic\":\"a\"}"] { #expect(EncodedHalf(text: text) == nil) }
    }
}
