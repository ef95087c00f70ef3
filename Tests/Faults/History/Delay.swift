import MQProtocol

/// What keeps a message back.
struct Delay: Sendable, Hashable {
    /// Not to be seen before this time by the broker's clock.
    var due: Timestamp
    /// Of a level: when it was sent, by this process's clock. A level counts from the broker's clock, and anew when
    /// that is set back.
    var levelSince: Timestamp?
    /// Due when its life is over: nothing waits for it before.
    var isLong = false

    /// The broker's first level.
    static let level = Duration.seconds(1)
    /// The furthest that the clock gets ahead in a life: all segments but the last are old enough to be deleted then.
    static let retentionShift = Duration.seconds(3 * 3600)
    /// Of long delays, in seconds. By that clock too they end minutes after the life: retention meets them waiting.
    static let longSeconds = (3 * 3600 + 20 * 60)...(3 * 3600 + 30 * 60)
    /// How far the clock is set forward when a life is over, so that all of them are due.
    static let longShift = Duration.seconds(4 * 3600)
}
