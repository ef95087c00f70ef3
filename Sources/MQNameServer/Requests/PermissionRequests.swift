import Logging
import MQProtocol

/// Taking a broker out of the routes of producers, and back.
extension NameServerRequests {
    /// WIPE_WRITE_PERM_OF_BROKER (205).
    func wipeWritePermission(_ request: Frame) throws -> Answer {
        let broker = try BrokerNameHeader(request.fields).brokerName
        let count = registry.withRoutes { $0.wipeWritePermission(ofBroker: broker) }
        registry.logger.notice("write permission wiped", metadata: ["broker": "\(broker)", "topics": "\(count)"])
        return Answer(header: WipeWritePermissionResponseHeader(topicCount: Int32(clamping: count)))
    }

    /// ADD_WRITE_PERM_OF_BROKER (327).
    func addWritePermission(_ request: Frame) throws -> Answer {
        let broker = try BrokerNameHeader(request.fields).brokerName
        let count = registry.withRoutes { $0.addWritePermission(ofBroker: broker) }
        registry.logger.notice("write permission added", metadata: ["broker": "\(broker)", "topics": "\(count)"])
        return Answer(header: AddWritePermissionResponseHeader(topicCount: Int32(clamping: count)))
    }
}
