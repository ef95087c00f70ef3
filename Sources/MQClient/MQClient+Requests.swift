import MQProtocol
import MQRemoting
import NIOCore

/// Requests to one address, with errors that name it.
extension MQClient {
    /// - Returns: the answer, whatever its code.
    func request(
        to address: String,
        _ code: RequestCode,
        header: some CommandHeader = EmptyHeader(),
        body: ByteBuffer? = nil,
        extra: [(String, String)] = [],
        timeout: Duration? = nil
    ) async throws(MQClientError) -> Frame {
        do {
            return try await remoting.request(
                to: address, code, header: header, body: body, extra: extra,
                timeout: timeout ?? configuration.requestTimeout)
        } catch {
            throw MQClientError(remoting: error, address: address)
        }
    }

    /// A request with a time limit that includes opening the connection, if it is not open yet.
    func request(
        to address: String, _ code: RequestCode, header: some CommandHeader, body: ByteBuffer? = nil,
        deadline: NIODeadline
    ) async throws(MQClientError) -> Frame {
        do throws(RemotingError) {
            _ = try await remoting.connection(to: address)
            let left = deadline - .now()
            guard left > .zero else {
                throw RemotingError(.requestTimedOut, "no time was left for a request to \(address)", address: address)
            }
            return try await remoting.request(
                to: address, code, header: header, body: body, timeout: .nanoseconds(left.nanoseconds))
        } catch {
            throw MQClientError(remoting: error, address: address)
        }
    }

    /// Returns when the request was handed to an open connection. Nobody answers it.
    func oneWay(
        to address: String, _ code: RequestCode, header: some CommandHeader, body: ByteBuffer? = nil
    ) async throws(MQClientError) {
        do {
            try await remoting.oneWay(to: address, code, header: header, body: body)
        } catch {
            throw MQClientError(remoting: error, address: address)
        }
    }

    /// - Returns: the answer, which is a success.
    /// - Throws: ``MQClientError/Code/refused`` for every other answer.
    @discardableResult
    func successfulRequest(
        to address: String,
        _ code: RequestCode,
        header: some CommandHeader = EmptyHeader(),
        body: ByteBuffer? = nil,
        extra: [(String, String)] = [],
        timeout: Duration? = nil
    ) async throws(MQClientError) -> Frame {
        let answer = try await request(to: address, code, header: header, body: body, extra: extra, timeout: timeout)
        guard answer.responseCode == .success else { throw MQClientError(refusal: answer, address: address) }
        return answer
    }
}

extension MQClientError {
    init(remoting error: RemotingError, address: String, fileID: String = #fileID, line: Int = #line) {
        let (code, remedy) = Self.meaning(of: error.code)
        let reason = error.message.contains(address) ? error.message : "\(address): \(error.message)"
        let message = remedy.isEmpty ? reason : "\(reason.withoutFinalStop). \(remedy)"
        self.init(code, message, cause: error, fileID: fileID, line: line)
    }

    private static func meaning(of code: RemotingError.Code) -> (Code, String) {
        switch code {
        case .addressInvalid: (.invalidAddress, "")
        case .requestTimedOut: (.requestTimedOut, "")
        case .cancelled: (.cancelled, "")
        case .closed: (.closed, "")
        case .protocolViolation: (.malformedResponse, "Is it a RocketMQ server?")
        default: (.brokerUnreachable, "")
        }
    }

    /// True when certainly nobody saw the request.
    var isNotSent: Bool {
        (cause as? RemotingError)?.isNotSent ?? false
    }

    init(refusal answer: Frame, address: String, fileID: String = #fileID, line: Int = #line) {
        let remark = (answer.remark ?? "").oneLine
        let said = remark.isEmpty ? "nothing more" : "\"\(remark)\""
        self.init(
            .refused,
            "\(address) refused with code \(answer.code) (\(answer.responseCode)) and said \(said).",
            responseCode: answer.code, fileID: fileID, line: line)
    }

    init(malformed what: String, from address: String, cause: any Error, fileID: String = #fileID, line: Int = #line) {
        self.init(
            .malformedResponse, "The \(what) from \(address) could not be read: \(cause)", cause: cause, fileID: fileID,
            line: line)
    }
}

extension String {
    /// Remarks of stock servers may carry a stack trace.
    fileprivate var oneLine: String {
        split(whereSeparator: \.isNewline).joined(separator: " ")
    }

    fileprivate var withoutFinalStop: String {
        hasSuffix(".") ? String(dropLast()) : self
    }
}
