import MQProtocol
import MQRemoting
import NIOCore
import Synchronization

extension MQClient {
    /// Asks the name server that answered last, and when it does not answer, each of the others once.
    ///
    /// - Returns: the answer, whatever its code, and who gave it.
    func askNameServers(
        _ code: RequestCode, header: some CommandHeader = EmptyHeader(), body: ByteBuffer? = nil
    ) async throws(MQClientError) -> (answer: Frame, address: String) {
        let addresses = try nameServerList()
        let start = state.withLock { $0.nameServer }
        var failures: [String] = []
        for attempt in addresses.indices {
            let index = (start + attempt) % addresses.count
            do {
                let answer = try await request(to: addresses[index], code, header: header, body: body)
                if attempt > 0 { state.withLock { $0.nameServer = index } }
                return (answer, addresses[index])
            } catch {
                guard error.isUnanswered else { throw error }
                failures.append("\(addresses[index]) (\(error.shortReason))")
            }
        }
        throw MQClientError(
            .nameServersUnreachable,
            "No name server answers, tried \(failures.joined(separator: ", ")): start mqnamesrv there, "
                + "or correct -n or NAMESRV_ADDR."
        )
    }

    /// Does something at every name server; they do not tell each other.
    ///
    /// - Throws: the last failure, after all were tried.
    func atEveryNameServer(
        _ code: RequestCode, header: some CommandHeader, body: ByteBuffer? = nil
    ) async throws(MQClientError) {
        var failure: MQClientError?
        for address in try nameServerList() {
            do {
                try await successfulRequest(to: address, code, header: header, body: body)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }

    func nameServerList() throws(MQClientError) -> [String] {
        guard let addresses = configuration.nameServers?.addresses else {
            throw MQClientError(
                .noNameServer,
                "No name server address is set: give -n host:port, or set NAMESRV_ADDR."
            )
        }
        return addresses
    }
}

extension MQClientError {
    /// Another server may do better.
    fileprivate var isUnanswered: Bool {
        switch code {
        case .brokerUnreachable, .requestTimedOut, .invalidAddress, .malformedResponse: true
        default: false
        }
    }

    fileprivate var shortReason: String {
        switch (cause as? RemotingError)?.code {
        case .refused: "nothing listens there"
        case .connectTimedOut, .requestTimedOut: "no answer in time"
        case .disconnected: "closed the connection"
        case .protocolViolation: "not a RocketMQ server"
        case .addressInvalid: "no such host"
        default: message
        }
    }
}
