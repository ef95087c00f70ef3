/// The answer to a pull that reached the store.
package struct PullResponseHeader: CommandHeader, Hashable {
    /// 0 for the master, else the slave to pull from next.
    package var suggestedBrokerID: Int64
    package var nextBeginOffset: QueueOffset
    package var minimumOffset: QueueOffset
    package var maximumOffset: QueueOffset

    package init(
        suggestedBrokerID: Int64 = 0,
        nextBeginOffset: QueueOffset,
        minimumOffset: QueueOffset,
        maximumOffset: QueueOffset
    ) {
        self.suggestedBrokerID = suggestedBrokerID
        self.nextBeginOffset = nextBeginOffset
        self.minimumOffset = minimumOffset
        self.maximumOffset = maximumOffset
    }

    package init(_ fields: HeaderFields) throws(HeaderError) {
        suggestedBrokerID = fields.int64("suggestWhichBrokerId") ?? 0
        nextBeginOffset = QueueOffset(rawValue: try fields.requiredInt64("nextBeginOffset"))
        minimumOffset = QueueOffset(rawValue: try fields.requiredInt64("minOffset"))
        maximumOffset = QueueOffset(rawValue: try fields.requiredInt64("maxOffset"))
    }

    package func write(to writer: inout FieldWriter) {
        writer.write("suggestWhichBrokerId", suggestedBrokerID)
        writer.write("nextBeginOffset", nextBeginOffset)
        writer.write("minOffset", minimumOffset)
        writer.write("maxOffset", maximumOffset)
    }
}
