import Escrow
import Foundation
import GRDB
import Testing

extension LiveTests {
    /// Messages that the client refuses to send.
    @Suite(.timeLimit(.minutes(1))) struct LiveUndeliverableTests {
        private let site: LiveSite

        init() throws {
            site = try LiveSite()
        }

        /// It would be tried for ever, and hold up everything of its key.
        @Test func aMessageThatNoClientSendsIsADeadLetterAndItsLaneGoesOn() async throws {
            let escrow = try site.shop()
            try await site.pool.write { db in
                for (key, number) in [("a\u{2}b", 0), ("placed/17/1", 1)] {
                    try db.execute(
                        sql: """
                            INSERT INTO escrow_outbox (topic, tag, idempotency_key, ordering_key, body, created)
                            VALUES ('orders', 'Placed', ?, '17', CAST(? AS BLOB), 0)
                            """,
                        arguments: [key, "{\"order\":\"17\",\"number\":\(number)}"])
                }
            }
            let open = "SELECT count(*) FROM escrow_dead_letter WHERE consumer LIKE 'outbox:%' AND state = 'open'"
            try await site.running(escrow) {
                try await site.until("SELECT count(*) FROM note WHERE text = 'stock 17/1'", is: 1)
                try await site.until("SELECT count(*) FROM escrow_outbox", is: 0)
                let letter = try #require(try await escrow.deadLetters.list().first)
                #expect(letter.consumer == "outbox:orders/Placed")
                #expect(letter.event == "Placed" && letter.orderingKey == "17")
                #expect(letter.reason.contains("cannot be sent"), "\(letter.reason)")
                // Handled again it is sent again, and given up again.
                #expect(try await escrow.deadLetters.redrive([letter.id]) == 1)
                try await site.until("\(open) AND id > \(letter.id)", is: 1)
                #expect(try await escrow.deadLetters.list(state: .redriven).map(\.id) == [letter.id])
            }
        }

        /// What stopped it was mended: it goes its way.
        @Test func aMessageThatCanBeSentAfterAllIsSentByItsRedrive() async throws {
            let escrow = try site.shop()
            try await site.pool.write { db in
                try db.execute(
                    sql: """
                        INSERT INTO escrow_dead_letter (consumer, idempotency_key, ordering_key, topic, tag, body,
                            message_id, reason, attempts, born, failed, state)
                        VALUES ('outbox:orders/Placed', 'placed/17/0', '17', 'orders', 'Placed',
                            CAST('{"order":"17","number":0}' AS BLOB), '', 'too long', 1, 0, 0, 'open')
                        """)
            }
            try await site.running(escrow) {
                #expect(try await escrow.deadLetters.redrive(consumer: "outbox:orders/Placed") == 1)
                try await site.until("SELECT count(*) FROM note WHERE text = 'stock 17/0'", is: 1)
                #expect(try await escrow.deadLetters.list().isEmpty)
            }
        }
    }
}
