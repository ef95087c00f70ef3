import Logging
import MQProtocol

extension MQClient {
    /// How long each leave from the brokers may last altogether. One that hangs hears nothing of it anyway, and learns
    /// from the end of the connection that somebody is gone.
    static let leaveLimit = Duration.seconds(2)

    /// Makes the last requests of something that ends, also when its task is cancelled, for ``leaveLimit`` at most.
    /// What `body` asks for later than that fails at once.
    func takeLeave(_ what: String, _ body: @escaping @Sendable () async -> Void) async {
        // Unstructured on purpose: a cancelled task takes leave too.
        let isDone = await Task {
            await withTaskGroup(of: Bool.self) { tasks in
                tasks.addTask {
                    await body()
                    return true
                }
                tasks.addTask {
                    // By the machine's time: who ends is waited for outside.
                    try? await TimeSource.system.sleep(for: Self.leaveLimit)
                    return false
                }
                defer { tasks.cancelAll() }
                return await tasks.next() ?? true
            }
        }.value
        guard !isDone else { return }
        configuration.logger.notice("\(what) leaves without a goodbye: a broker does not answer")
    }
}
