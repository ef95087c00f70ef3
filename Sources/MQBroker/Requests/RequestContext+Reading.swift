import MQProtocol
import MQRemoting
import NIOCore
import NIOPosix

/// What handlers read from a request, with refusals in the words of RocketMQ's decoder where it has any.
extension RequestContext {
    func text(_ name: String) throws(RequestError) -> String {
        try field { fields throws(HeaderError) in try fields.requiredString(name) }
    }

    func integer(_ name: String) throws(RequestError) -> Int32 {
        try field { fields throws(HeaderError) in try fields.requiredInt32(name) }
    }

    func long(_ name: String) throws(RequestError) -> Int64 {
        try field { fields throws(HeaderError) in try fields.requiredInt64(name) }
    }

    /// The header as its type reads it.
    func header<Header: CommandHeader>(_ type: Header.Type) throws(RequestError) -> Header {
        try field { fields throws(HeaderError) in try Header(fields) }
    }

    /// Absent and blank are the same to RocketMQ's tools.
    func optionalText(_ name: String) -> String? {
        frame.fields.string(name).flatMap { $0.contains { !$0.isWhitespace } ? $0 : nil }
    }

    func flag(_ name: String) -> Bool {
        frame.fields.bool(name) ?? false
    }

    /// The longest body that is decoded on the event loop.
    private static let maximumBodyBytes = 1 << 20

    /// The body as `decode` reads it.
    ///
    /// - Throws: `systemError` for one above 1 MiB, and for one that `decode` refuses.
    func body<Value>(_ decode: (ByteBuffer) throws -> Value) throws(RequestError) -> Value {
        let bytes = frame.body.readableBytes
        guard bytes <= Self.maximumBodyBytes else {
            throw RequestError(
                .systemError, "the body of request \(frame.code) has \(bytes) bytes, above \(Self.maximumBodyBytes)"
            )
        }
        do {
            return try decode(frame.body)
        } catch {
            throw RequestError(.systemError, "the body of request \(frame.code) cannot be read: \(error)")
        }
    }

    private func field<Value>(
        _ read: (HeaderFields) throws(HeaderError) -> Value
    ) throws(RequestError) -> Value {
        do throws(HeaderError) {
            return try read(frame.fields)
        } catch {
            throw RequestError(.systemError, "the header of request \(frame.code) cannot be read: \(error)")
        }
    }

    /// Answers from a thread that may wait for the disk.
    ///
    /// - Parameter isQuery: whether the answer is all that it is for: nobody would hear that to a one-way request.
    func onReadThread(isQuery: Bool = true, _ work: @escaping @Sendable (Broker) throws -> Reply) -> Outcome {
        if isQuery, frame.isOneWay { return .none }
        let broker = broker
        return .later(broker.readThreads.runIfActive(eventLoop: connection.eventLoop) { try work(broker) })
    }

    /// Answers success once what was changed is on disk.
    func after(_ written: EventLoopFuture<Void>, _ reply: Reply = Reply()) -> Outcome {
        .later(
            written.map { reply }.flatMapErrorThrowing { error in
                throw RequestError(.systemError, "changed in memory, but not written: \(error)")
            })
    }
}
