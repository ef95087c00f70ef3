import MQProtocol
import MQRemoting
import NIOCore

/// Brokers that come, go and ask whether they have to come again.
extension NameServerRequests {
    /// REGISTER_BROKER (103).
    func registerBroker(_ request: Frame, from connection: ConnectionHandle) throws -> Answer {
        let header = try RegisterBrokerHeader(request.fields)
        let crc = header.bodyCRC
        guard crc == 0 || crc == bodyCRC(request.body.readableBytesUInt8Span) else {
            throw Refusal(code: .systemError, remark: "crc32 not match")
        }
        let body = try RegisterBrokerBody.decode(
            request.body, compressed: header.isCompressed, version: request.version)
        let registration = BrokerRegistration(
            clusterName: header.clusterName,
            brokerName: header.brokerName,
            address: header.brokerAddress,
            brokerID: header.brokerID,
            haAddress: header.haServerAddress,
            dataVersion: body.topics.dataVersion,
            topics: Array(body.topics.topicConfigTable.values),
            filterServers: body.filterServers,
            connection: connection.id
        )
        guard let registered = registry.register(registration, over: connection) else {
            throw Refusal(code: .systemError, remark: "the connection is closed")
        }
        let order = registry.keyValues.current.values(namespace: KeyValueTable.orderTopicNamespace)
        return Answer(
            header: RegisterBrokerResponseHeader(
                haServerAddress: registered.masterHAAddress,
                masterAddress: registered.masterAddress
            ),
            body: order.map { KVTable(table: $0).encode() }
        )
    }

    /// UNREGISTER_BROKER (104).
    func unregisterBroker(_ request: Frame) throws -> Answer {
        let header = try UnregisterBrokerHeader(request.fields)
        registry.withRoutes { table in
            table.unregister(
                clusterName: header.clusterName,
                brokerName: header.brokerName,
                address: header.brokerAddress,
                brokerID: header.brokerID
            )
        }
        return Answer()
    }

    /// QUERY_DATA_VERSION (322).
    func queryDataVersion(_ request: Frame) throws -> Answer {
        let header = try QueryDataVersionHeader(request.fields)
        let version = try DataVersion.decode(request.body)
        let now = registry.time.now()
        let (isChanged, known) = registry.withRoutes { $0.compare(version, address: header.brokerAddress, now: now) }
        return Answer(header: QueryDataVersionResponseHeader(changed: isChanged), body: known?.encode())
    }
}
