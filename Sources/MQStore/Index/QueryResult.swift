package import MQProtocol
package import NIOCore

/// What a search by key found.
package struct QueryResult: Sendable {
    /// Whole records in log order. Keys are matched by hash only: compare the key itself before trusting a record.
    package var records: [ByteBuffer] = []
    /// Store time of the newest indexed message; 0 when nothing is indexed.
    package var lastIndexed = Timestamp(milliseconds: 0)
    /// Log offset of the newest indexed message.
    package var lastIndexedOffset = LogOffset.zero

    package init() {}
}
