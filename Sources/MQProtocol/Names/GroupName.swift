/// The rules for producer and consumer groups' names, and the groups with a fixed meaning.
package enum GroupName {
    package static let maximumLength = 255
    /// Longer, and the group's retry topic would be longer than a topic may be.
    package static let maximumConsumerLength = TopicName.maximumLength - TopicName.retryPrefix.count

    package static let systemPrefix = "CID_RMQ_SYS_"
    /// Keeps the offsets of the half and op queues.
    package static let transactionCheck = "CID_RMQ_SYS_TRANS"
    package static let tools = "TOOLS_CONSUMER"
    package static let filterServer = "FILTERSRV_CONSUMER"
    package static let selfTest = "SELF_TEST_C_GROUP"
    package static let httpProxy = "CID_ONS-HTTP-PROXY"
    package static let onsPull = "CID_ONSAPI_PULL"
    package static let onsPermission = "CID_ONSAPI_PERMISSION"
    package static let onsOwner = "CID_ONSAPI_OWNER"
    /// The producer inside every stock client instance.
    package static let clientInnerProducer = "CLIENT_INNER_PRODUCER"
    package static let defaultProducer = "DEFAULT_PRODUCER"
    package static let defaultConsumer = "DEFAULT_CONSUMER"

    /// Groups whose configuration a broker has from its first start.
    package static let preset: [String] = [
        tools, filterServer, selfTest, httpProxy, onsPull, onsPermission, onsOwner,
    ]

    package static func isSystem(_ group: String) -> Bool { group.utf8.starts(with: systemPrefix.utf8) }

    /// What is wrong with a group's name; nil when it may be used. Clients check this, brokers do not.
    package static func remark(refusing group: String) -> String? {
        if TopicName.isBlank(group) { return "the specified group is blank" }
        if group.utf8.count > maximumLength { return "the specified group is longer than group max length 255." }
        if !group.utf8.allSatisfy(TopicName.isAllowed) {
            return "the specified group[\(group)] contains illegal characters, allowing only ^[%|a-zA-Z0-9_-]+$"
        }
        return nil
    }
}
