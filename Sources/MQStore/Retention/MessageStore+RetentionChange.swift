import Synchronization

extension MessageStore {
    /// Puts other rules in force, from the next retention run on.
    package func changeRetention(_ settings: RetentionSettings) {
        house.withLock { $0.plan.settings = settings }
        log.placement.withLock { $0.limit = settings.forcedRatio }
    }
}
