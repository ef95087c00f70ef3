import MQProtocol
import MQRemoting
import NIOCore
import Synchronization

extension MQClient {
    /// Sends a verdict to the broker of that name, wherever it is now.
    func end(_ half: HalfMessage, _ verdict: Verdict, group: String) async throws(MQClientError) -> VerdictAnswer {
        let header = EndTransactionHeader(half, verdict, group: group, fromTransactionCheck: false)
        let address = try await address(of: half)
        do {
            return try await end(header, half, verdict, at: address)
        } catch {
            guard error.isNotSent, let moved = await listedMaster(ofBroker: half.brokerName), moved != address else {
                throw error
            }
            return try await end(header, half, verdict, at: moved)
        }
    }

    /// Whether the broker is a stock one, which delivers a repeated commit twice, and has made the message of the half
    /// readable. Found by the message's own id, because the half itself says nothing. A message of a moment ago may be
    /// missed, and every one where the broker keeps no index.
    package func isDelivered(_ half: HalfMessage) async throws(MQClientError) -> Bool {
        let address = try await address(of: half)
        let isFinal = presence.standings.withLock { $0.announcesEscrow(address) } ?? half.keepsVerdictsFinal
        guard !isFinal else { return false }
        let header = QueryMessageHeader(
            topic: half.topic, key: half.messageID, maximum: 32, begin: .zero, end: Timestamp(milliseconds: .max),
            isUniqueKey: true)
        let answer = try await request(to: address, .queryMessage, header: header)
        switch answer.responseCode {
        case .success:
            return try ReceivedMessage.list(answer.body, brokerName: half.brokerName, address: address)
                .contains { $0.messageID == half.messageID && $0.topic == half.topic }
        case .queryNotFound: return false
        default: throw MQClientError(refusal: answer, address: address)
        }
    }

    /// The name decides: another broker may have got the stored address meanwhile. Only when no name server says where
    /// the broker is, the stored address is believed.
    private func address(of half: HalfMessage) async throws(MQClientError) -> String {
        if half.brokerName.isEmpty { return half.brokerAddress }
        if let address = state.withLock({ $0.routes.broker(named: half.brokerName)?.master }) { return address }
        do {
            if let address = try await learnTopology().brokersByName[half.brokerName]?.master { return address }
        } catch {
            guard error.code == .nameServersUnreachable || error.code == .noNameServer else { throw error }
            return half.brokerAddress
        }
        throw MQClientError(
            .brokerUnknown,
            "Broker \(half.brokerName), which has the half message \(half.messageID), has no master that the name "
                + "servers list: start its mqbroker, or see mqadmin clusterList.")
    }

    private func listedMaster(ofBroker name: String) async -> String? {
        await attempt("list of brokers") { () async throws(MQClientError) in try await self.learnTopology() }
        return state.withLock { $0.routes.broker(named: name)?.master }
    }

    private func end(
        _ header: EndTransactionHeader, _ half: HalfMessage, _ verdict: Verdict, at address: String
    ) async throws(MQClientError) -> VerdictAnswer {
        // Stock brokers answer the other two as ours do.
        guard verdict != .unknown else {
            try await oneWay(to: address, .endTransaction, header: header)
            return .unanswered
        }
        return try await repeatingWhileBusy(address) { () async throws(RemotingError) in
            try await self.remoting.request(
                to: address, .endTransaction, header: header, timeout: self.configuration.requestTimeout)
        }
    }

    /// How long to wait before a busy broker is asked once more.
    private static let busyPauses: [Duration] = [.milliseconds(5), .milliseconds(20), .milliseconds(100)]

    /// - Parameter send: sends the verdict.
    func repeatingWhileBusy(
        _ address: String, _ send: () async throws(RemotingError) -> Frame
    ) async throws(MQClientError) -> VerdictAnswer {
        var pauses = Self.busyPauses[...]
        while true {
            let answer: Frame
            do {
                answer = try await send()
            } catch {
                let isLost = error.code == .requestTimedOut || error.code == .disconnected
                if isLost { return .unanswered }
                throw MQClientError(remoting: error, address: address)
            }
            guard let outcome = EndTransactionOutcome(answer) else {
                throw MQClientError(refusal: answer, address: address)
            }
            if let answer = VerdictAnswer(outcome) { return answer }
            guard let pause = pauses.popFirst(), (try? await configuration.time.sleep(for: pause)) != nil else {
                return .unanswered
            }
        }
    }
}

extension EndTransactionHeader {
    init(_ half: HalfMessage, _ verdict: Verdict, group: String, fromTransactionCheck: Bool) {
        self.init(
            producerGroup: group, queueOffset: QueueOffset(rawValue: half.queueOffset),
            logOffset: LogOffset(rawValue: half.logOffset), verdict: verdict.transactionType.rawValue,
            fromTransactionCheck: fromTransactionCheck, messageID: half.messageID, transactionID: half.transactionID,
            brokerName: half.brokerName)
    }
}

extension Verdict {
    fileprivate var transactionType: SysFlag.TransactionType {
        switch self {
        case .commit: .commit
        case .rollback: .rollback
        case .unknown: .none
        }
    }
}

extension EndTransactionOutcome {
    /// What an answer says; older brokers of ours say it with code and remark only. Nil for any other refusal.
    fileprivate init?(_ answer: Frame) {
        if let outcome = (try? EndTransactionResponseHeader(answer.fields))?.outcome {
            self = outcome
            return
        }
        let remark = answer.remark ?? ""
        switch answer.responseCode {
        case .success: self = .accepted
        case .systemBusy: self = .busy
        case .systemError where remark.hasPrefix("the transaction is final"): self = .opposite
        case .systemError where Self.remarksOfUnknown.contains(where: remark.contains): self = .unknown
        default: return nil
        }
    }

    /// What stock brokers say: nothing can be read at the offset, or another message is there.
    private static let remarksOfUnknown = [
        "Find prepared transaction message failed", "The producer group wrong",
        "The transaction state table offset wrong", "The commit log offset wrong",
    ]
}

extension VerdictAnswer {
    /// Nil while the broker is busy.
    fileprivate init?(_ outcome: EndTransactionOutcome) {
        switch outcome {
        case .accepted: self = .accepted
        case .opposite: self = .opposite
        case .unknown: self = .unknownHalf
        case .busy: return nil
        }
    }
}
