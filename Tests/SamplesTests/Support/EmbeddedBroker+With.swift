import Logging
import MQEmbedded

extension EmbeddedBroker {
    /// Runs a broker beside `body`.
    static func with(directory: String, _ body: (EmbeddedBroker) async throws -> Void) async throws {
        var configuration = EmbeddedBrokerConfiguration()
        configuration.directory = directory
        configuration.logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let broker = try await EmbeddedBroker.start(configuration)
        let result: Result<Void, any Error>
        do { result = .success(try await body(broker)) } catch { result = .failure(error) }
        await broker.stop()
        try result.get()
    }
}
