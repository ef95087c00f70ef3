import Foundation
import MQClient
import Testing

@testable import Escrow

@Suite struct HalfTextTests {
    private let half = HalfMessage(
        topic: "shop%orders \"1\"", brokerName: "b", brokerAddress: "127.0.0.1:10911", queueID: -3,
        logOffset: 1 << 60, queueOffset: 7, messageID: "ID", transactionID: "TX", status: .replicationTimedOut,
        keepsVerdictsFinal: true)

    @Test func whatIsWrittenIsRead() {
        #expect(HalfText.decode(HalfText.encode(half)) == half)
    }

    /// Rows of an earlier run were written by another encoder.
    @Test func anyJSONOfItIsRead() throws {
        let json = String(decoding: try JSONEncoder().encode(half), as: UTF8.self)
        #expect(HalfText.decode(json) == half)
        for text in ["", "{}", "[]", "{\"topic\":\"a\"}"] { #expect(HalfText.decode(text) == nil) }
    }
}
