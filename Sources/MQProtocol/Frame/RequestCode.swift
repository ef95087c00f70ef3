/// What a request asks for: the `code` of a frame whose response bit is clear.
///
/// Open on purpose: a number without a name here travels through unchanged and is answered as unsupported.
package struct RequestCode: RawRepresentable, Hashable, Sendable {
    package let rawValue: Int32

    @inlinable
    package init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    @inlinable
    package static func == (lhs: RequestCode, rhs: RequestCode) -> Bool { lhs.rawValue == rhs.rawValue }

    package static let sendMessage = RequestCode(rawValue: 10)
    package static let pullMessage = RequestCode(rawValue: 11)
    package static let queryMessage = RequestCode(rawValue: 12)
    package static let queryConsumerOffset = RequestCode(rawValue: 14)
    package static let updateConsumerOffset = RequestCode(rawValue: 15)
    package static let updateAndCreateTopic = RequestCode(rawValue: 17)
    package static let getAllTopicConfig = RequestCode(rawValue: 21)
    package static let updateBrokerConfig = RequestCode(rawValue: 25)
    package static let getBrokerConfig = RequestCode(rawValue: 26)
    package static let getBrokerRuntimeInfo = RequestCode(rawValue: 28)
    package static let searchOffsetByTimestamp = RequestCode(rawValue: 29)
    package static let getMaxOffset = RequestCode(rawValue: 30)
    package static let getMinOffset = RequestCode(rawValue: 31)
    package static let getEarliestMessageStoreTime = RequestCode(rawValue: 32)
    package static let viewMessageByID = RequestCode(rawValue: 33)
    package static let heartbeat = RequestCode(rawValue: 34)
    package static let unregisterClient = RequestCode(rawValue: 35)
    package static let consumerSendMessageBack = RequestCode(rawValue: 36)
    package static let endTransaction = RequestCode(rawValue: 37)
    package static let getConsumerListByGroup = RequestCode(rawValue: 38)
    package static let checkTransactionState = RequestCode(rawValue: 39)
    package static let notifyConsumerIDsChanged = RequestCode(rawValue: 40)
    package static let lockBatchMQ = RequestCode(rawValue: 41)
    package static let unlockBatchMQ = RequestCode(rawValue: 42)
    package static let getAllConsumerOffset = RequestCode(rawValue: 43)
    package static let getAllDelayOffset = RequestCode(rawValue: 45)
    package static let checkClientConfig = RequestCode(rawValue: 46)
    package static let updateAndCreateACLConfig = RequestCode(rawValue: 50)
    package static let deleteACLConfig = RequestCode(rawValue: 51)
    package static let getBrokerClusterACLInfo = RequestCode(rawValue: 52)
    package static let updateGlobalWhiteAddressesConfig = RequestCode(rawValue: 53)
    package static let putKVConfig = RequestCode(rawValue: 100)
    package static let getKVConfig = RequestCode(rawValue: 101)
    package static let deleteKVConfig = RequestCode(rawValue: 102)
    package static let registerBroker = RequestCode(rawValue: 103)
    package static let unregisterBroker = RequestCode(rawValue: 104)
    package static let getRouteInfoByTopic = RequestCode(rawValue: 105)
    package static let getBrokerClusterInfo = RequestCode(rawValue: 106)
    package static let updateAndCreateSubscriptionGroup = RequestCode(rawValue: 200)
    package static let getAllSubscriptionGroupConfig = RequestCode(rawValue: 201)
    package static let getTopicStatsInfo = RequestCode(rawValue: 202)
    package static let getConsumerConnectionList = RequestCode(rawValue: 203)
    package static let getProducerConnectionList = RequestCode(rawValue: 204)
    package static let wipeWritePermOfBroker = RequestCode(rawValue: 205)
    package static let getAllTopicListFromNameServer = RequestCode(rawValue: 206)
    package static let deleteSubscriptionGroup = RequestCode(rawValue: 207)
    package static let getConsumeStats = RequestCode(rawValue: 208)
    package static let deleteTopicInBroker = RequestCode(rawValue: 215)
    package static let deleteTopicInNameServer = RequestCode(rawValue: 216)
    package static let getKVListByNamespace = RequestCode(rawValue: 219)
    package static let resetConsumerClientOffset = RequestCode(rawValue: 220)
    package static let getConsumerStatusFromClient = RequestCode(rawValue: 221)
    package static let invokeBrokerToResetOffset = RequestCode(rawValue: 222)
    package static let invokeBrokerToGetConsumerStatus = RequestCode(rawValue: 223)
    package static let getTopicsByCluster = RequestCode(rawValue: 224)
    package static let queryTopicConsumeByWho = RequestCode(rawValue: 300)
    package static let queryConsumeTimeSpan = RequestCode(rawValue: 303)
    package static let getSystemTopicListFromNameServer = RequestCode(rawValue: 304)
    package static let getSystemTopicListFromBroker = RequestCode(rawValue: 305)
    package static let cleanExpiredConsumeQueue = RequestCode(rawValue: 306)
    package static let getConsumerRunningInfo = RequestCode(rawValue: 307)
    package static let queryCorrectionOffset = RequestCode(rawValue: 308)
    package static let consumeMessageDirectly = RequestCode(rawValue: 309)
    package static let sendMessageV2 = RequestCode(rawValue: 310)
    package static let getUnitTopicList = RequestCode(rawValue: 311)
    package static let getHasUnitSubTopicList = RequestCode(rawValue: 312)
    package static let getHasUnitSubUnunitTopicList = RequestCode(rawValue: 313)
    package static let cloneGroupOffset = RequestCode(rawValue: 314)
    package static let viewBrokerStatsData = RequestCode(rawValue: 315)
    package static let cleanUnusedTopic = RequestCode(rawValue: 316)
    package static let getBrokerConsumeStats = RequestCode(rawValue: 317)
    package static let updateNameServerConfig = RequestCode(rawValue: 318)
    package static let getNameServerConfig = RequestCode(rawValue: 319)
    package static let sendBatchMessage = RequestCode(rawValue: 320)
    package static let queryConsumeQueue = RequestCode(rawValue: 321)
    package static let queryDataVersion = RequestCode(rawValue: 322)
    package static let resumeCheckHalfMessage = RequestCode(rawValue: 323)
    package static let sendReplyMessage = RequestCode(rawValue: 324)
    package static let sendReplyMessageV2 = RequestCode(rawValue: 325)
    package static let pushReplyMessageToClient = RequestCode(rawValue: 326)
    package static let addWritePermOfBroker = RequestCode(rawValue: 327)
    package static let getAllProducerInfo = RequestCode(rawValue: 328)
    package static let deleteExpiredCommitLog = RequestCode(rawValue: 329)
    package static let getTopicConfig = RequestCode(rawValue: 351)
    package static let litePullMessage = RequestCode(rawValue: 361)
}

extension RequestCode: CustomStringConvertible {
    /// RocketMQ's name of the code, or the number when this version has no name for it.
    package var description: String {
        Self.names[rawValue] ?? String(rawValue)
    }

    private static let names: [Int32: String] = [
        10: "SEND_MESSAGE",
        11: "PULL_MESSAGE",
        12: "QUERY_MESSAGE",
        14: "QUERY_CONSUMER_OFFSET",
        15: "UPDATE_CONSUMER_OFFSET",
        17: "UPDATE_AND_CREATE_TOPIC",
        21: "GET_ALL_TOPIC_CONFIG",
        25: "UPDATE_BROKER_CONFIG",
        26: "GET_BROKER_CONFIG",
        28: "GET_BROKER_RUNTIME_INFO",
        29: "SEARCH_OFFSET_BY_TIMESTAMP",
        30: "GET_MAX_OFFSET",
        31: "GET_MIN_OFFSET",
        32: "GET_EARLIEST_MSG_STORETIME",
        33: "VIEW_MESSAGE_BY_ID",
        34: "HEART_BEAT",
        35: "UNREGISTER_CLIENT",
        36: "CONSUMER_SEND_MSG_BACK",
        37: "END_TRANSACTION",
        38: "GET_CONSUMER_LIST_BY_GROUP",
        39: "CHECK_TRANSACTION_STATE",
        40: "NOTIFY_CONSUMER_IDS_CHANGED",
        41: "LOCK_BATCH_MQ",
        42: "UNLOCK_BATCH_MQ",
        43: "GET_ALL_CONSUMER_OFFSET",
        45: "GET_ALL_DELAY_OFFSET",
        46: "CHECK_CLIENT_CONFIG",
        50: "UPDATE_AND_CREATE_ACL_CONFIG",
        51: "DELETE_ACL_CONFIG",
        52: "GET_BROKER_CLUSTER_ACL_INFO",
        53: "UPDATE_GLOBAL_WHITE_ADDRS_CONFIG",
        100: "PUT_KV_CONFIG",
        101: "GET_KV_CONFIG",
        102: "DELETE_KV_CONFIG",
        103: "REGISTER_BROKER",
        104: "UNREGISTER_BROKER",
        105: "GET_ROUTEINFO_BY_TOPIC",
        106: "GET_BROKER_CLUSTER_INFO",
        200: "UPDATE_AND_CREATE_SUBSCRIPTIONGROUP",
        201: "GET_ALL_SUBSCRIPTIONGROUP_CONFIG",
        202: "GET_TOPIC_STATS_INFO",
        203: "GET_CONSUMER_CONNECTION_LIST",
        204: "GET_PRODUCER_CONNECTION_LIST",
        205: "WIPE_WRITE_PERM_OF_BROKER",
        206: "GET_ALL_TOPIC_LIST_FROM_NAMESERVER",
        207: "DELETE_SUBSCRIPTIONGROUP",
        208: "GET_CONSUME_STATS",
        215: "DELETE_TOPIC_IN_BROKER",
        216: "DELETE_TOPIC_IN_NAMESRV",
        219: "GET_KVLIST_BY_NAMESPACE",
        220: "RESET_CONSUMER_CLIENT_OFFSET",
        221: "GET_CONSUMER_STATUS_FROM_CLIENT",
        222: "INVOKE_BROKER_TO_RESET_OFFSET",
        223: "INVOKE_BROKER_TO_GET_CONSUMER_STATUS",
        224: "GET_TOPICS_BY_CLUSTER",
        300: "QUERY_TOPIC_CONSUME_BY_WHO",
        303: "QUERY_CONSUME_TIME_SPAN",
        304: "GET_SYSTEM_TOPIC_LIST_FROM_NS",
        305: "GET_SYSTEM_TOPIC_LIST_FROM_BROKER",
        306: "CLEAN_EXPIRED_CONSUMEQUEUE",
        307: "GET_CONSUMER_RUNNING_INFO",
        308: "QUERY_CORRECTION_OFFSET",
        309: "CONSUME_MESSAGE_DIRECTLY",
        310: "SEND_MESSAGE_V2",
        311: "GET_UNIT_TOPIC_LIST",
        312: "GET_HAS_UNIT_SUB_TOPIC_LIST",
        313: "GET_HAS_UNIT_SUB_UNUNIT_TOPIC_LIST",
        314: "CLONE_GROUP_OFFSET",
        315: "VIEW_BROKER_STATS_DATA",
        316: "CLEAN_UNUSED_TOPIC",
        317: "GET_BROKER_CONSUME_STATS",
        318: "UPDATE_NAMESRV_CONFIG",
        319: "GET_NAMESRV_CONFIG",
        320: "SEND_BATCH_MESSAGE",
        321: "QUERY_CONSUME_QUEUE",
        322: "QUERY_DATA_VERSION",
        323: "RESUME_CHECK_HALF_MESSAGE",
        324: "SEND_REPLY_MESSAGE",
        325: "SEND_REPLY_MESSAGE_V2",
        326: "PUSH_REPLY_MESSAGE_TO_CLIENT",
        327: "ADD_WRITE_PERM_OF_BROKER",
        328: "GET_ALL_PRODUCER_INFO",
        329: "DELETE_EXPIRED_COMMITLOG",
        351: "GET_TOPIC_CONFIG",
        361: "LITE_PULL_MESSAGE",
    ]
}
