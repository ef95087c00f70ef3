import Logging
import MQProtocol
import MQRemoting
import MQStore
import NIOCore

/// The configuration while the broker runs (broker.md 1.1).
enum ConfigurationRequests {
    /// 25. Keys outside the list of ``ConfigurationChange`` are refused, and then nothing is changed.
    static func update(_ context: RequestContext) throws(RequestError) -> Outcome {
        let broker = context.broker
        let change = try ConfigurationChange(
            parsing: String(buffer: context.frame.body), protectedKeys: broker.settings.configuration.protectedKeys
        )
        let permission = broker.settings.configuration.permission
        try broker.settings.update { configuration throws(RequestError) in
            try change.apply(to: &configuration)
        }
        let configuration = broker.settings.configuration
        broker.logger.notice(
            "configuration changed by request",
            metadata: [
                "remote": "\(context.connection.remoteAddress)",
                "keys": "\(change.lines(in: configuration).map { "\($0.name)=\($0.value)" }.joined(separator: " "))",
            ])
        if configuration.permission != permission { broker.topics.touch() }
        broker.store.changeRetention(RetentionSettings(configuration.storeConfiguration()))
        guard let file = configuration.file else { return .success }
        return context.onReadThread(isQuery: false) { _ in
            try file.set(change.lines(in: configuration))
            return Reply()
        }
    }

    /// 26
    static func get(_ context: RequestContext) throws(RequestError) -> Outcome {
        let broker = context.broker
        let version = String(buffer: JSONWriter.compact(broker.topics.dataVersion.json))
        return .reply(
            Reply(
                header: BrokerConfigResponseHeader(version: version),
                body: ByteBuffer(string: broker.settings.configuration.propertiesText())
            )
        )
    }
}
