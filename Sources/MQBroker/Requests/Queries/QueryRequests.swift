import MQProtocol
import MQStore
import NIOCore

/// Messages by key and by place (protocol.md 9).
enum QueryRequests {
    /// The bytes at which an answer takes no further message: a client refuses frames above 16 MiB.
    private static let maximumBytes = 8 << 20

    /// 12. The index matches hashes: who asked compares the key itself.
    static func byKey(_ context: RequestContext) throws(RequestError) -> Outcome {
        let header = try context.header(QueryMessageHeader.self)
        let storage = context.broker.settings.configuration.storage
        let wanted = header.isUniqueKey == true ? storage.uniqueKeyQueryResults : Int(max(0, header.maximum))
        let maximum = min(wanted, storage.maximumQueryResults)
        return context.onReadThread { broker in
            let result = broker.store.query(
                topic: header.topic, key: header.key, maximum: maximum, begin: header.begin, end: header.end
            )
            let response = QueryMessageResponseHeader(
                lastUpdate: result.lastIndexed, lastUpdateOffset: result.lastIndexedOffset
            )
            var body = ByteBuffer()
            for record in result.records
            where body.readableBytes == 0 || body.readableBytes + record.readableBytes <= maximumBytes {
                body.writeImmutableBuffer(record)
            }
            guard body.readableBytes > 0 else {
                let remark = "can not find message, maybe time range not correct"
                return Reply(code: .queryNotFound, remark: remark, header: response)
            }
            return Reply(header: response, body: body)
        }
    }

    /// 33
    static func byOffset(_ context: RequestContext) throws(RequestError) -> Outcome {
        let header = try context.header(ViewMessageHeader.self)
        return context.onReadThread { broker in
            guard let record = broker.store.record(at: header.logOffset) else {
                throw RequestError(
                    .systemError, "can not find message by the offset, \(header.logOffset.rawValue)"
                )
            }
            return Reply(body: record)
        }
    }
}
