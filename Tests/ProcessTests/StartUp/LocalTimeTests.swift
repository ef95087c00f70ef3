import Foundation
import ProcessOutput
import ProcessSupport
import Testing

extension ProcessTests {
    @Suite("Local time")
    struct LocalTimeTests {
        /// Eight hours ahead of UTC, without a data base of time zones.
        @Test("An index file bears the local time of its creation", .timeLimit(.minutes(1)))
        func indexName() async throws {
            try await TemporaryDirectory.with { directory in
                let options = StoreSettings.options(store: directory + "/store")
                let port = try await FreePorts.next()
                let file = try BrokerProcess.writeProperties(options, port: port)
                let begun = Date.now
                _ = try await ServerProcess.run("env", arguments: ["TZ=TST-8", "mqbroker", "-c", file]) { process in
                    try await process.requireLine(containing: "boot success")
                    try await RawClient.with("127.0.0.1:\(port)") { client in
                        let load = Load(
                            client: client, journal: Journal(), queues: [QueueName("T", 0)], senders: 1, round: 0,
                            seed: 1)
                        await load.run(acknowledgements: 3, strike: nil)
                    }
                    process.terminate()
                    await process.output.finished()
                }
                let names = try FileManager.default.contentsOfDirectory(atPath: options.store + "/index")
                let name = try #require(names.first)
                #expect(names.count == 1 && Self.text(begun) <= name && name <= Self.text(.now), "\(name)")
            }
        }

        /// As 17 digits.
        private static func text(_ date: Date) -> String {
            let formatter = DateFormatter()
            formatter.locale = Locale(identifier: "en_US_POSIX")
            formatter.timeZone = TimeZone(secondsFromGMT: 8 * 3600)
            formatter.dateFormat = "yyyyMMddHHmmssSSS"
            return formatter.string(from: date)
        }
    }
}
