import Logging
import MQProtocol
import MQRemoting
public import ServiceLifecycle
import Synchronization

extension TransactionProducer: Service {
    /// Answers check-backs until the task is cancelled or the service group shuts down gracefully; then those under way
    /// are finished, and those that wait are left to be asked again. It can run once.
    public func run() async throws {
        await withGracefulShutdownHandler {
            await withTaskGroup(of: Void.self) { tasks in
                var running = 0
                while let request = await backlog.next() {
                    if running == Self.concurrentChecks {
                        await tasks.next()
                        running -= 1
                    }
                    tasks.addTask { await self.answer(request) }
                    running += 1
                }
            }
        } onGracefulShutdown: {
            self.backlog.close()
        }
    }

    /// A check-back that cannot be answered is asked again.
    private func answer(_ request: CheckRequest) async {
        do {
            let checkBack = client.checkBack(request)
            let verdict = await check(checkBack)
            let answer = try await client.answer(request, checkBack.half, verdict, group: group)
            guard answer == .opposite else { return }
            client.configuration.logger.error(
                "a check-back was answered against a final verdict",
                metadata: ["group": "\(group)", "message": "\(checkBack.messageID)", "verdict": "\(verdict)"])
        } catch {
            client.configuration.logger.debug(
                "a check-back was not answered", metadata: ["group": "\(group)", "error": "\(error)"])
        }
    }
}

extension MQClient {
    fileprivate func checkBack(_ request: CheckRequest) -> CheckBack {
        let address = request.connection.remoteAddress.description
        let brokerName = state.withLock { $0.routes.broker(withMaster: address)?.name } ?? ""
        let message = ReceivedMessage(request.message, brokerName: brokerName)
        let messageID = request.header.messageID ?? message.messageID
        let half = HalfMessage(
            topic: message.topic, brokerName: brokerName, brokerAddress: address, queueID: message.queueID,
            logOffset: request.header.logOffset.rawValue, queueOffset: request.header.queueOffset.rawValue,
            messageID: messageID, transactionID: request.header.transactionID ?? messageID, status: .stored,
            keepsVerdictsFinal: announcesEscrow(address))
        return CheckBack(message: message, half: half, brokerAddress: address, messageID: messageID)
    }

    /// The verdict goes back where the question came from.
    fileprivate func answer(
        _ request: CheckRequest, _ half: HalfMessage, _ verdict: Verdict, group: String
    ) async throws(MQClientError) -> VerdictAnswer {
        let header = EndTransactionHeader(half, verdict, group: group, fromTransactionCheck: true)
        guard half.keepsVerdictsFinal, verdict != .unknown else {
            request.connection.oneWay(.endTransaction, header: header)
            return .unanswered
        }
        return try await repeatingWhileBusy(half.brokerAddress) { () async throws(RemotingError) in
            try await request.connection.request(
                .endTransaction, header: header, timeout: self.configuration.requestTimeout)
        }
    }
}
