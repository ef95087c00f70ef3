import MQProtocol
import MQStore
import NIOCore

/// One record of a store that is going to be damaged.
struct StoredRecord: Sendable {
    var place: Place
    var logOffset: Int64
    /// The whole record, as it was acknowledged.
    var bytes: ByteBuffer

    var end: Int64 { logOffset + Int64(bytes.readableBytes) }

    /// Where the record says it belongs when one of its bits is wrong.
    func claimedPlace(flipping bit: Int, of position: Int) -> Place? {
        var bytes = bytes
        let index = bytes.readerIndex + position
        guard let byte = bytes.getInteger(at: index, as: UInt8.self) else { return nil }
        bytes.setInteger(byte ^ (1 << bit), at: index)
        guard let view = try? RecordView.parse(bytes.readableBytesUInt8Span),
            let topic = bytes.getString(
                at: bytes.readerIndex + view.topicRange.lowerBound, length: view.topicRange.count)
        else { return nil }
        return Place(queue: QueueName(topic, view.queueID), offset: view.queueOffset.rawValue)
    }
}

/// What a store serves.
typealias ServedRecords = [Place: ByteBuffer]

extension MessageStore {
    /// Every record of every queue, as a pull gets it.
    func servedRecords() throws -> ServedRecords {
        var served: ServedRecords = [:]
        for queue in allQueues() {
            let name = QueueName(queue.topic, queue.queueID)
            var next = minimumOffset(of: queue)
            let end = maximumOffset(of: queue)
            while next < end {
                let selection = select(queue, from: next, maximumCount: 32, limits: PullLimits(), filter: .all)
                guard selection.nextBegin > next else {
                    throw FaultError("\(name): a pull from \(next) says \(selection.status) and does not go on")
                }
                try take(selection, of: name, &served)
                next = selection.nextBegin
            }
        }
        return served
    }

    private func take(_ selection: Selection, of name: QueueName, _ served: inout ServedRecords) throws {
        var buffer = ByteBuffer()
        copy(selection, into: &buffer)
        while let size = buffer.getInteger(at: buffer.readerIndex, as: Int32.self) {
            guard let record = buffer.readSlice(length: Int(size)),
                let offset = record.getInteger(at: record.readerIndex + RecordLayout.queueOffset, as: Int64.self)
            else { throw FaultError("\(name): a pull gave a record of \(size) bytes") }
            served[Place(queue: name, offset: offset)] = record
        }
    }
}
