/// How a request ended: the `code` of a frame whose response bit is set.
///
/// Open on purpose: codes of newer peers survive; judge success by the code, never by the remark.
package struct ResponseCode: RawRepresentable, Hashable, Sendable {
    package let rawValue: Int32

    @inlinable
    package init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    @inlinable
    package static func == (lhs: ResponseCode, rhs: ResponseCode) -> Bool { lhs.rawValue == rhs.rawValue }

    package static let success = ResponseCode(rawValue: 0)
    package static let systemError = ResponseCode(rawValue: 1)
    package static let systemBusy = ResponseCode(rawValue: 2)
    package static let requestCodeNotSupported = ResponseCode(rawValue: 3)
    package static let transactionFailed = ResponseCode(rawValue: 4)
    package static let flushDiskTimeout = ResponseCode(rawValue: 10)
    package static let slaveNotAvailable = ResponseCode(rawValue: 11)
    package static let flushSlaveTimeout = ResponseCode(rawValue: 12)
    package static let messageIllegal = ResponseCode(rawValue: 13)
    package static let serviceNotAvailable = ResponseCode(rawValue: 14)
    package static let versionNotSupported = ResponseCode(rawValue: 15)
    package static let noPermission = ResponseCode(rawValue: 16)
    package static let topicNotExist = ResponseCode(rawValue: 17)
    package static let topicExistAlready = ResponseCode(rawValue: 18)
    package static let pullNotFound = ResponseCode(rawValue: 19)
    package static let pullRetryImmediately = ResponseCode(rawValue: 20)
    package static let pullOffsetMoved = ResponseCode(rawValue: 21)
    package static let queryNotFound = ResponseCode(rawValue: 22)
    package static let subscriptionParseFailed = ResponseCode(rawValue: 23)
    package static let subscriptionNotExist = ResponseCode(rawValue: 24)
    package static let subscriptionNotLatest = ResponseCode(rawValue: 25)
    package static let subscriptionGroupNotExist = ResponseCode(rawValue: 26)
    package static let filterDataNotExist = ResponseCode(rawValue: 27)
    package static let filterDataNotLatest = ResponseCode(rawValue: 28)
    package static let invalidParameter = ResponseCode(rawValue: 29)
    package static let transactionShouldCommit = ResponseCode(rawValue: 200)
    package static let transactionShouldRollback = ResponseCode(rawValue: 201)
    package static let transactionStateUnknown = ResponseCode(rawValue: 202)
    package static let transactionStateGroupWrong = ResponseCode(rawValue: 203)
    package static let noBuyerID = ResponseCode(rawValue: 204)
    package static let notInCurrentUnit = ResponseCode(rawValue: 205)
    package static let consumerNotOnline = ResponseCode(rawValue: 206)
    package static let consumeMessageTimeout = ResponseCode(rawValue: 207)
    package static let noMessage = ResponseCode(rawValue: 208)
    package static let updateAndCreateACLConfigFailed = ResponseCode(rawValue: 209)
    package static let deleteACLConfigFailed = ResponseCode(rawValue: 210)
    package static let updateGlobalWhiteAddressesConfigFailed = ResponseCode(rawValue: 211)
    package static let flowControl = ResponseCode(rawValue: 215)
    package static let goAway = ResponseCode(rawValue: 1500)
}

extension ResponseCode: CustomStringConvertible {
    /// RocketMQ's name of the code, or the number when this version has no name for it.
    package var description: String {
        Self.names[rawValue] ?? String(rawValue)
    }

    private static let names: [Int32: String] = [
        0: "SUCCESS",
        1: "SYSTEM_ERROR",
        2: "SYSTEM_BUSY",
        3: "REQUEST_CODE_NOT_SUPPORTED",
        4: "TRANSACTION_FAILED",
        10: "FLUSH_DISK_TIMEOUT",
        11: "SLAVE_NOT_AVAILABLE",
        12: "FLUSH_SLAVE_TIMEOUT",
        13: "MESSAGE_ILLEGAL",
        14: "SERVICE_NOT_AVAILABLE",
        15: "VERSION_NOT_SUPPORTED",
        16: "NO_PERMISSION",
        17: "TOPIC_NOT_EXIST",
        18: "TOPIC_EXIST_ALREADY",
        19: "PULL_NOT_FOUND",
        20: "PULL_RETRY_IMMEDIATELY",
        21: "PULL_OFFSET_MOVED",
        22: "QUERY_NOT_FOUND",
        23: "SUBSCRIPTION_PARSE_FAILED",
        24: "SUBSCRIPTION_NOT_EXIST",
        25: "SUBSCRIPTION_NOT_LATEST",
        26: "SUBSCRIPTION_GROUP_NOT_EXIST",
        27: "FILTER_DATA_NOT_EXIST",
        28: "FILTER_DATA_NOT_LATEST",
        29: "INVALID_PARAMETER",
        200: "TRANSACTION_SHOULD_COMMIT",
        201: "TRANSACTION_SHOULD_ROLLBACK",
        202: "TRANSACTION_STATE_UNKNOW",
        203: "TRANSACTION_STATE_GROUP_WRONG",
        204: "NO_BUYER_ID",
        205: "NOT_IN_CURRENT_UNIT",
        206: "CONSUMER_NOT_ONLINE",
        207: "CONSUME_MSG_TIMEOUT",
        208: "NO_MESSAGE",
        209: "UPDATE_AND_CREATE_ACL_CONFIG_FAILED",
        210: "DELETE_ACL_CONFIG_FAILED",
        211: "UPDATE_GLOBAL_WHITE_ADDRS_CONFIG_FAILED",
        215: "FLOW_CONTROL",
        1500: "GO_AWAY",
    ]
}
