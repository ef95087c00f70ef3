import MQProtocol

/// The broker's state and counters (broker.md 18).
enum RuntimeRequests {
    /// 28
    static func information(_ context: RequestContext) throws(RequestError) -> Outcome {
        let now = context.now
        return context.onReadThread { broker in
            Reply(body: KVTable(table: RuntimeInformation(broker: broker, now: now).table()).encode())
        }
    }

    /// 315
    static func counter(_ context: RequestContext) throws(RequestError) -> Outcome {
        let name = try context.text("statsName")
        let key = try context.text("statsKey")
        guard let windows = CounterName(name: name, key: key).flatMap({ $0.windows(of: context.broker) }) else {
            throw RequestError(.systemError, "The stats <\(name)> <\(key)> not exist")
        }
        let body = BrokerStatsData(minute: item(windows.minute), hour: item(windows.hour), day: item(windows.day))
        return .reply(Reply(body: body.encode()))
    }

    private static func item(_ rate: Rate) -> BrokerStatsData.Item {
        BrokerStatsData.Item(sum: Int64(rate.sum), rate: rate.perSecond, average: rate.perCall)
    }
}
