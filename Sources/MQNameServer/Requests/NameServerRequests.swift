import MQProtocol
import MQRemoting
import NIOCore

/// What is sent back for one request.
struct Answer {
    var code: ResponseCode = .success
    var remark: String?
    var header: (any CommandHeader)?
    var body: ByteBuffer?
}

/// A request that cannot be served; becomes an answer.
struct Refusal: Error {
    var code: ResponseCode
    var remark: String
}

/// Answers requests, from any thread. One file per family of requests.
struct NameServerRequests: Sendable {
    let registry: Registry

    func answer(_ request: Frame, from connection: ConnectionHandle) -> Answer {
        do {
            return try dispatch(request, from: connection)
        } catch let refusal as Refusal {
            return Answer(code: refusal.code, remark: refusal.remark)
        } catch {
            return Answer(code: .systemError, remark: "\(error)")
        }
    }

    private func dispatch(_ request: Frame, from connection: ConnectionHandle) throws -> Answer {
        switch request.requestCode {
        case .registerBroker: try registerBroker(request, from: connection)
        case .unregisterBroker: try unregisterBroker(request)
        case .queryDataVersion: try queryDataVersion(request)
        case .getRouteInfoByTopic: try route(request)
        case .getBrokerClusterInfo: clusterInfo()
        case .getAllTopicListFromNameServer: allTopics()
        case .getTopicsByCluster: try topicsOfCluster(request)
        case .getSystemTopicListFromNameServer: systemTopics()
        case .getUnitTopicList: unitTopics { $0.isUnit }
        case .getHasUnitSubTopicList: unitTopics { $0.isSubscribedByUnits }
        case .getHasUnitSubUnunitTopicList: unitTopics { $0.isSubscribedByUnits && !$0.isUnit }
        case .deleteTopicInNameServer: try deleteTopic(request)
        case .wipeWritePermOfBroker: try wipeWritePermission(request)
        case .addWritePermOfBroker: try addWritePermission(request)
        case .putKVConfig: try putValue(request)
        case .getKVConfig: try getValue(request)
        case .deleteKVConfig: try deleteValue(request)
        case .getKVListByNamespace: try listValues(request)
        case .updateNameServerConfig: try updateConfiguration(request)
        case .getNameServerConfig: readConfiguration()
        default: unknown(request)
        }
    }

    /// Stock name servers leave unknown requests unanswered, so that the caller waits for its timeout. Every client
    /// understands this answer, which brokers give, and learns the same at once.
    private func unknown(_ request: Frame) -> Answer {
        Answer(code: .requestCodeNotSupported, remark: " request type \(request.code) not supported")
    }
}
