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

    /// Rows of an earlier run may have been written by another encoder.
    @Test func anyJSONOfItIsRead() throws {
        let json = #"""
            { "keepsVerdictsFinal": true, "status": "FLUSH_SLAVE_TIMEOUT", "transactionID": "TX", "messageID": "ID",
              "queueOffset": 7, "logOffset": 1152921504606846976, "queueID": -3,
              "brokerAddress": "127.0.0.1:10911", "brokerName": "b", "topic": "shop%orders \"1\u0022", "more": [] }
            """#
        #expect(EncodedHalf(text: json)?.message == half)
        for text in ["", "{}", "[]", "{\"topic\":\"a\"}"] { #expect(EncodedHalf(text: text) == nil) }
    }
}
