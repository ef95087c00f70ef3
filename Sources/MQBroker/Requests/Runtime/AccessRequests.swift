import MQProtocol

/// Access control lists, which this broker does not have: every request is refused, with its own code.
enum AccessRequests {
    private static let remark = "access control is not enabled at this broker"

    /// 50
    static func update(_ context: RequestContext) throws(RequestError) -> Outcome {
        throw RequestError(.updateAndCreateACLConfigFailed, remark)
    }

    /// 51
    static func delete(_ context: RequestContext) throws(RequestError) -> Outcome {
        throw RequestError(.deleteACLConfigFailed, remark)
    }

    /// 52. RocketMQ leaves this unanswered without ACL, so that its tools wait for a timeout to learn the same.
    static func version(_ context: RequestContext) throws(RequestError) -> Outcome {
        throw RequestError(.systemError, remark)
    }

    /// 53
    static func updateWhiteList(_ context: RequestContext) throws(RequestError) -> Outcome {
        throw RequestError(.updateGlobalWhiteAddressesConfigFailed, remark)
    }
}
