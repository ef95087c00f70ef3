import ProcessSupport

/// A broker that can be killed and started again on its store while others go on.
final class RestartableBroker: Sendable {
    private enum Order {
        case restart
        case stop
    }

    private let options: BrokerProcess.Options
    private let orders: AsyncStream<Order>
    private let give: AsyncStream<Order>.Continuation
    /// The address, once for every time the broker begins to serve.
    private let starts: AsyncThrowingStream<String, any Error>
    private let started: AsyncThrowingStream<String, any Error>.Continuation

    init(_ options: BrokerProcess.Options) {
        self.options = options
        (orders, give) = AsyncStream.makeStream(of: Order.self, bufferingPolicy: .bufferingOldest(4))
        (starts, started) = AsyncThrowingStream.makeStream(of: String.self, bufferingPolicy: .bufferingOldest(4))
    }

    /// Keeps the broker running while `body` runs.
    func with<Value: Sendable>(_ body: @Sendable (_ address: String) async throws -> Value) async throws -> Value {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.keepRunning() }
            let outcome: Result<Value, any Error>
            do {
                outcome = .success(try await body(try await waitForStart()))
            } catch {
                outcome = .failure(error)
            }
            give.yield(.stop)
            try await group.waitForAll()
            return try outcome.get()
        }
    }

    /// Kills the broker, starts it again on the same files, and returns when it serves.
    func killAndRestart() async throws {
        give.yield(.restart)
        _ = try await waitForStart()
    }

    private func waitForStart() async throws -> String {
        for try await address in starts { return address }
        throw InteropError("The broker was stopped.")
    }

    private func keepRunning() async throws {
        var goesOn = true
        while goesOn {
            do {
                goesOn = try await BrokerProcess.run(options) { broker in
                    self.started.yield(broker.address)
                    for await order in self.orders {
                        if order == .stop { return false }
                        broker.process.kill()
                        return true
                    }
                    return false
                }.value
            } catch {
                started.finish(throwing: error)
                throw error
            }
        }
    }
}
