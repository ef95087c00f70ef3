import MQProtocol
import MQRemoting

/// Every request the broker answers, and where.
extension BrokerLoop {
    func dispatch(_ frame: Frame, _ connection: Connection) throws(RequestError) {
        switch frame.requestCode {
        case .sendMessageV2, .sendMessage, .sendBatchMessage:
            do throws(RequestError) {
                try work.send(frame, connection)
            } catch {
                refuseSend(frame.replyTo, on: connection, error)
            }
        case .pullMessage where servesPulls, .litePullMessage where servesPulls: try pull(frame, connection)
        case .endTransaction: try endTransaction(frame, connection)
        case .consumerSendMessageBack: try sendBack(frame, connection)
        case .resumeCheckHalfMessage: try resumeCheck(frame, connection)
        default:
            let context = RequestContext(frame: frame, connection: connection, broker: broker, now: broker.time.now())
            complete(frame.replyTo, on: connection, try Self.daily(context))
        }
    }

    /// What clients ask all day.
    private static func daily(_ context: RequestContext) throws(RequestError) -> Outcome {
        switch context.frame.requestCode {
        case .updateConsumerOffset: try OffsetRequests.update(context)
        case .queryConsumerOffset: try OffsetRequests.query(context)
        case .searchOffsetByTimestamp: try OffsetRequests.search(context)
        case .getMaxOffset: try OffsetRequests.maximum(context)
        case .getMinOffset: try OffsetRequests.minimum(context)
        case .getEarliestMessageStoreTime: try OffsetRequests.earliestStoreTime(context)
        case .heartbeat: try ClientRequests.heartbeat(context)
        case .unregisterClient: try ClientRequests.unregister(context)
        case .getConsumerListByGroup: try ClientRequests.consumerList(context)
        case .checkClientConfig: try ClientRequests.checkConfiguration(context)
        case .lockBatchMQ: try LockRequests.lock(context)
        case .unlockBatchMQ: try LockRequests.unlock(context)
        case .queryMessage: try QueryRequests.byKey(context)
        case .viewMessageByID: try QueryRequests.byOffset(context)
        case .sendReplyMessage, .sendReplyMessageV2: try ReplyRequests.send(context)
        default: try administration(context)
        }
    }

    /// What operators and their tools ask.
    private static func administration(_ context: RequestContext) throws(RequestError) -> Outcome {
        switch context.frame.requestCode {
        case .updateAndCreateTopic: try TopicRequests.update(context)
        case .deleteTopicInBroker: try TopicRequests.delete(context)
        case .getAllTopicConfig: try TopicRequests.all(context)
        case .getTopicConfig: try TopicRequests.one(context)
        case .getTopicStatsInfo: try TopicRequests.statistics(context)
        case .getSystemTopicListFromBroker: try TopicRequests.systemTopics(context)
        case .updateAndCreateSubscriptionGroup: try GroupRequests.update(context)
        case .getAllSubscriptionGroupConfig: try GroupRequests.all(context)
        case .deleteSubscriptionGroup: try GroupRequests.delete(context)
        case .getConsumeStats: try ConsumptionRequests.statistics(context)
        case .queryTopicConsumeByWho: try ConsumptionRequests.groups(context)
        case .queryConsumeTimeSpan: try ConsumptionRequests.timeSpan(context)
        case .getBrokerConsumeStats: try ConsumptionRequests.allStatistics(context)
        case .getConsumerConnectionList: try ConnectionRequests.consumers(context)
        case .getProducerConnectionList: try ConnectionRequests.producers(context)
        case .getAllProducerInfo: try ConnectionRequests.allProducers(context)
        case .updateBrokerConfig: try ConfigurationRequests.update(context)
        case .getBrokerConfig: try ConfigurationRequests.get(context)
        default: try maintenance(context)
        }
    }

    /// What is asked seldom.
    private static func maintenance(_ context: RequestContext) throws(RequestError) -> Outcome {
        switch context.frame.requestCode {
        case .getBrokerRuntimeInfo: return try RuntimeRequests.information(context)
        case .viewBrokerStatsData: return try RuntimeRequests.counter(context)
        case .invokeBrokerToResetOffset: return try ForwardedRequests.resetOffset(context)
        case .invokeBrokerToGetConsumerStatus: return try ForwardedRequests.consumerStatus(context)
        case .getConsumerRunningInfo: return try ForwardedRequests.runningInfo(context)
        case .consumeMessageDirectly: return try ForwardedRequests.consumeDirectly(context)
        case .getAllConsumerOffset: return try OffsetRequests.allConsumerOffsets(context)
        case .getAllDelayOffset: return try OffsetRequests.allDelayOffsets(context)
        case .queryCorrectionOffset: return try OffsetRequests.correction(context)
        case .cloneGroupOffset: return try OffsetRequests.clone(context)
        case .cleanExpiredConsumeQueue: return try QueueRequests.deleteExpiredQueues(context)
        case .cleanUnusedTopic: return try QueueRequests.deleteUnusedTopics(context)
        case .queryConsumeQueue: return try QueueRequests.entries(context)
        case .deleteExpiredCommitLog: return try QueueRequests.deleteExpiredLog(context)
        case .updateAndCreateACLConfig: return try AccessRequests.update(context)
        case .deleteACLConfig: return try AccessRequests.delete(context)
        case .getBrokerClusterACLInfo: return try AccessRequests.version(context)
        case .updateGlobalWhiteAddressesConfig: return try AccessRequests.updateWhiteList(context)
        default:
            throw RequestError(.requestCodeNotSupported, " request type \(context.frame.code) not supported")
        }
    }
}
