import ProcessOutput

/// The echo server in a process of its own: this executable again, with another subcommand.
enum EchoProcess {
    static let announcement = "echo server on port "

    static func with<Value: Sendable>(
        answer: EchoServer.Answer, encoding: WireEncoding, _ body: @Sendable (Int) async throws -> Value
    ) async throws -> Value {
        let arguments = ["echo-server", "--answer", answer.rawValue, "--encoding", encoding.rawValue]
        return try await ChildProcess.with("mqbench", arguments: arguments) { process in
            let line = await process.log.first { $0.hasPrefix(announcement) }
            guard let line, let port = Int(line.dropFirst(announcement.count)) else {
                throw BenchError("The echo server did not start. It said: \(process.log.tail())")
            }
            return try await body(port)
        }
    }
}
