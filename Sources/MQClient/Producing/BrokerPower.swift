import MQProtocol
import Synchronization

/// What Escrow's brokers do and stock 4.x brokers silently leave undone: such a message is refused before it is sent.
enum BrokerPower: Equatable {
    /// Delivery after or at any time, not only after one of 18 fixed delays.
    case anyDelay(Message.Delay)
    /// A delay that begins with the commit of the transaction.
    case delayedHalf

    init?(_ delay: Message.Delay) {
        switch delay {
        case .none, .level: return nil
        case .after(let duration) where duration <= .zero: return nil
        case .after, .at: self = .anyDelay(delay)
        }
    }

    /// Why a stock broker does not get the message, and what to do instead.
    func refusal(by address: String, now: Timestamp) -> MQClientError {
        switch self {
        case .anyDelay(let delay):
            let nearest = Self.nearestLevel(to: delay, now: now)
            return MQClientError(
                .unsupportedByBroker,
                "\(address) is a stock RocketMQ broker, which knows fixed delays only and would deliver at once: "
                    + "use .level(\(nearest.number)), the nearest, which is \(nearest.text).")
        case .delayedHalf:
            return MQClientError(
                .unsupportedByBroker,
                "\(address) is a stock RocketMQ broker, which drops the delay of a half message: send it without "
                    + "delay, and let its consumer publish the delayed one.")
        }
    }

    static func nearestLevel(to delay: Message.Delay, now: Timestamp) -> (number: Int, text: String) {
        let wanted =
            switch delay {
            case .none, .level: Int64(0)
            case .after(let duration): duration.wholeMilliseconds
            case .at(let time): now.duration(to: time).wholeMilliseconds
            }
        let texts = DelayLevels.standardText.split(separator: " ")
        let nearest = DelayLevels.standard.milliseconds.enumerated().min {
            $0.element.distance(to: wanted).magnitude < $1.element.distance(to: wanted).magnitude
        }
        let index = nearest?.offset ?? 0
        return (index + 1, String(texts[index]))
    }
}

extension MQClient {
    /// Makes sure that the broker's kind is known where it matters, and that it does what the message asks for.
    ///
    /// - Throws: ``MQClientError/Code/unsupportedByBroker``.
    func checkKind(of address: String, for outgoing: OutgoingSend) async throws(MQClientError) {
        guard outgoing.isHalf || outgoing.power != nil else { return }
        let now = configuration.time.now()
        let (isOurs, age) = presence.standings.withLock { ($0.announcesEscrow(address), $0.age(address, now: now)) }
        switch (isOurs, outgoing.power) {
        case (true?, _): return
        case (false?, nil): return
        // No older than a heartbeat, whose answer would be the same.
        case (false?, _?) where age.map { $0 < configuration.heartbeatInterval } ?? false: break
        // Nothing is known yet, or the broker may have been replaced since it last answered.
        case (nil, _), (false?, _?): if try await heartbeat(to: address) { return }
        }
        guard let power = outgoing.power else { return }
        throw power.refusal(by: address, now: now)
    }
}
