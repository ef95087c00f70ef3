import Foundation

extension Event {
    /// What a message of it may have at most.
    package static var maximumBytes: Int { OutgoingEvent.maximumBodyBytes }

    /// What its message has, before any compression.
    package func encodedBytes() throws -> Int {
        try Self.codec.encode(self).count
    }
}
