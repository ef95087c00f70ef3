package import MQProtocol

/// What a server does with requests. One instance per event loop, confined to it: its state needs no lock.
///
/// The order of one turn of an event loop: every readable connection is read and ``handle(_:on:)`` called for each of
/// its requests, then ``turnEnded()`` once, then the replies of the whole turn are written, one flush per connection.
/// A turn with many requests does so in parts: ``turnEnded()`` and the flushes come after some dozens of them, too.
package protocol RequestHandler: AnyObject, SendableMetatype {
    /// Called for each request. A two-way request is answered exactly once, now or later, with one of the connection's
    /// `reply` functions, or ended with ``Connection/finishWithoutReply()``. A one-way request
    /// (`request.isOneWay`) must not be replied to.
    func handle(_ request: Frame, on connection: Connection)

    func connectionOpened(_ connection: Connection)

    /// Called once, after the last request of the connection. Replies to a closed connection are dropped.
    func connectionClosed(_ connection: Connection)

    /// Called at the end of each part of a turn in which anything was handled, before the replies of it are flushed:
    /// the place to do in one go what the requests only staged. Replies made here leave in the same flush.
    func turnEnded()
}

extension RequestHandler {
    package func connectionOpened(_ connection: Connection) {}

    package func connectionClosed(_ connection: Connection) {}

    package func turnEnded() {}
}

/// A connection as the server's request handlers see it. Both ends of a connection have the same powers.
package typealias ServerConnection = Connection
