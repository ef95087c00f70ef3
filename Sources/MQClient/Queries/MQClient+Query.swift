public import MQProtocol
import NIOCore

extension MQClient {
    /// The message with an id given by a broker: the id itself says at which broker and where it is.
    ///
    /// - Throws: ``MQClientError/Code/messageNotFound`` when nothing is there, or when `offsetID` is no such id.
    public func message(offsetID: String) async throws(MQClientError) -> ReceivedMessage {
        guard let id = OffsetMessageID(offsetID) else {
            throw MQClientError(
                .messageNotFound,
                "\"\(offsetID)\" is not a broker's message id (32 or 56 hexadecimal digits): "
                    + "look it up with mqadmin queryMsgByUniqueKey -i \(offsetID) -t TOPIC."
            )
        }
        return try await message(at: id.offset, of: id.host.description, brokerName: "")
    }

    /// The message whose record begins at that offset of the broker's log.
    ///
    /// - Throws: ``MQClientError/Code/messageNotFound`` when none does.
    func message(
        at offset: LogOffset, of address: String, brokerName: String
    ) async throws(MQClientError) -> ReceivedMessage {
        let answer = try await request(
            to: address, .viewMessageByID, header: ViewMessageHeader(logOffset: offset), timeout: .seconds(6))
        guard answer.responseCode == .success else {
            throw MQClientError(
                .messageNotFound,
                "\(address) has no message at log offset \(offset.rawValue): it has expired, or the id is wrong.",
                responseCode: answer.code)
        }
        guard let message = try ReceivedMessage.list(answer.body, brokerName: brokerName, address: address).first
        else {
            throw MQClientError(
                .messageNotFound, "\(address) answered without a message for log offset \(offset.rawValue).")
        }
        return message
    }

    /// Messages that have a key, from every broker of the topic, in order of store time.
    ///
    /// - Parameters:
    ///   - maximumCount: of each broker. Default: 64, the most a broker gives.
    ///   - begin: earliest store time. Default: any.
    ///   - end: latest store time. Default: any.
    /// - Throws: ``MQClientError/Code/messageNotFound`` when there is none.
    public func messages(
        topic: String,
        key: String,
        maximumCount: Int = 64,
        from begin: Timestamp = Timestamp(milliseconds: 0),
        to end: Timestamp = Timestamp(milliseconds: .max)
    ) async throws(MQClientError) -> [ReceivedMessage] {
        let header = QueryMessageHeader(
            topic: topic, key: key, maximum: Int32(clamping: maximumCount), begin: begin, end: end)
        let found = try await query(header) { $0.topic == topic && $0.keys.contains(key) }
        guard !found.isEmpty else {
            throw MQClientError(
                .messageNotFound,
                "No message of \(topic) has the key \"\(key)\": check the key's case, and whether it has expired.")
        }
        return found
    }

    /// Messages with an id given by a producer, the earliest first. More than one means it was stored more than once.
    ///
    /// - Throws: ``MQClientError/Code/messageNotFound`` when there is none.
    public func messages(topic: String, uniqueID: String) async throws(MQClientError) -> [ReceivedMessage] {
        let header = QueryMessageHeader(
            topic: topic, key: uniqueID, maximum: 32, begin: .zero, end: Timestamp(milliseconds: .max),
            isUniqueKey: true)
        let found = try await query(header) { $0.messageID == uniqueID }
        guard !found.isEmpty else {
            throw MQClientError(
                .messageNotFound,
                "No message of \(topic) has the id \(uniqueID): check the topic, and whether it has expired.")
        }
        return found
    }

    /// What the brokers have that answer. When none of them has any, a broker that could not be asked is an error: what
    /// is looked for may be there.
    private func query(
        _ header: QueryMessageHeader, where isWanted: (ReceivedMessage) -> Bool
    ) async throws(MQClientError) -> [ReceivedMessage] {
        let route = try await route(header.topic)
        var found: [ReceivedMessage] = []
        var failure: MQClientError?
        for broker in route.brokers {
            guard let address = broker.readable else { continue }
            do {
                found += try await query(header, broker: broker.name, at: address).filter(isWanted)
            } catch {
                failure = failure ?? error
            }
        }
        if found.isEmpty, let failure { throw failure }
        return found.sorted { $0.storeTimestamp < $1.storeTimestamp }
    }

    private func query(
        _ header: QueryMessageHeader, broker: String, at address: String
    ) async throws(MQClientError) -> [ReceivedMessage] {
        let answer = try await request(to: address, .queryMessage, header: header, timeout: .seconds(18))
        switch answer.responseCode {
        case .success: return try ReceivedMessage.list(answer.body, brokerName: broker, address: address)
        case .queryNotFound: return []
        default: throw MQClientError(refusal: answer, address: address)
        }
    }
}
