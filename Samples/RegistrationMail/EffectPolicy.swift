/// What a repetition costs, and so what happens to an attempt of which nobody knows whether it succeeded.
public enum EffectPolicy: Sendable, Hashable {
    /// Tried again until it is known to have happened: it may happen twice, and never not at all.
    case atLeastOnce
    /// Not tried again: it may not have happened, and never happens twice. It is listed as unknown. An attempt that
    /// certainly failed is repeated for some minutes; then the effect is listed as failed.
    case atMostOnce
}

/// How an attempt ended.
enum AttemptResult: Sendable, Equatable {
    case sent
    /// It certainly did not happen.
    case failed(String)
    /// Nobody can say.
    case unknown(String)
}

/// Does what an effect says, in the world outside. It must not throw: what is known of the attempt is its result.
typealias EffectPerformer = @Sendable (Effect) async -> AttemptResult
