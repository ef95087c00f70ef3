import MQProtocol
public import ServiceLifecycle
import Synchronization

extension MQClient: Service {
    /// Keeps routes fresh and sends heartbeats, until the task is cancelled or the service group shuts down gracefully;
    /// then withdraws its groups from the brokers that know them, which takes 2 s at most.
    ///
    /// Without it a client sends, pulls and administers, and routes are refreshed when they are needed. Consumers and
    /// transaction producers need it: brokers learn of them from heartbeats.
    public func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { tasks in
                tasks.addTask { await self.keepRoutesFresh() }
                tasks.addTask { await self.keepHeartbeats() }
            }
        }
        await takeLeave("The client \(configuration.clientID)") { await self.withdrawAll() }
    }

    private func keepRoutesFresh() async {
        let age = configuration.routeRefreshInterval
        while (try? await configuration.time.sleep(for: age)) != nil {
            let now = configuration.time.now()
            for topic in state.withLock({ $0.routes.stale(now: now, maximumAge: age) }) {
                await attempt("route of \(topic)") { () async throws(MQClientError) in
                    _ = try await self.refreshRoute(topic)
                }
            }
        }
    }
}
