package import MQProtocol

/// When a message asks to be delivered, read from its properties.
package enum DelayRequest: Sendable, Equatable {
    /// RocketMQ's fixed levels, from 1 (`DELAY`).
    case level(Int)
    /// 5.x's arbitrary delays, as the due time (`TIMER_DELAY_SEC`, `TIMER_DELAY_MS`, `TIMER_DELIVER_MS`).
    case at(Timestamp)

    /// The longest delay a broker takes.
    ///
    /// 5.x takes 3 days because of its wheel; ours holds any date, so the limit only catches wrong units.
    package static let longest = Duration.seconds(400 * 86_400)

    /// Why a request cannot be met; the texts of a 5.x broker.
    package enum Refusal: Error, Sendable, Equatable {
        case notANumber(String)
        case tooFar
        case cancelUnsupported

        package var remark: String {
            switch self {
            case .notANumber(let name): "timer message illegal, the property \(name) is not a number"
            case .tooFar:
                """
                timer message illegal, the delay time should not be bigger than the max delay \
                \(DelayRequest.longest.components.seconds * 1000)ms; or if set del msg, the delay time should be \
                bigger than the current time
                """
            case .cancelUnsupported:
                "timer message illegal, this broker does not cancel timed messages (TIMER_DEL_UNIQKEY)"
            }
        }
    }
}

/// The properties by which a message asks for a delay, before they are judged.
package struct DelayProperties: Sendable, Equatable {
    package var level: Int64?
    package var seconds: String?
    package var milliseconds: String?
    package var deliverAt: String?
    /// A timed message that was already under way (sent back for retry) is not timed again.
    package var isTimedAlready = false
    package var isCancel = false

    package init() {}

    package var isEmpty: Bool { level == nil && seconds == nil && milliseconds == nil && deliverAt == nil && !isCancel }

    /// The delay that is meant, nil for none. A level wins over every timer property, then seconds, milliseconds, date.
    package func request(now: Timestamp) throws(DelayRequest.Refusal) -> DelayRequest? {
        if let level, level > 0 { return .level(Int(clamping: level)) }
        if isTimedAlready { return nil }
        if isCancel { throw .cancelUnsupported }
        let due: Int64
        if let seconds {
            due = try sum(now, Self.number(seconds, PropertyName.timerDelaySeconds), times: 1000)
        } else if let milliseconds {
            due = try sum(now, Self.number(milliseconds, PropertyName.timerDelayMilliseconds), times: 1)
        } else if let deliverAt {
            due = try Self.number(deliverAt, PropertyName.timerDeliverMilliseconds)
        } else {
            return nil
        }
        guard due > now.milliseconds else { return nil }
        guard due <= now.advanced(by: DelayRequest.longest).milliseconds else { throw .tooFar }
        return .at(Timestamp(milliseconds: due))
    }

    private static func number(_ text: String, _ name: String) throws(DelayRequest.Refusal) -> Int64 {
        guard let number = Int64(text) else { throw .notANumber(name) }
        return number
    }

    private func sum(_ now: Timestamp, _ delay: Int64, times unit: Int64) throws(DelayRequest.Refusal) -> Int64 {
        let (product, tooBig) = delay.multipliedReportingOverflow(by: unit)
        let (sum, tooFar) = now.milliseconds.addingReportingOverflow(product)
        if tooBig || tooFar {
            if delay > 0 { throw .tooFar }
            return now.milliseconds
        }
        return sum
    }
}
