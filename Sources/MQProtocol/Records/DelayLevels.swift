/// RocketMQ's delay levels: a fixed table of waiting times, numbered from 1.
package struct DelayLevels: Sendable, Hashable {
    /// `messageDelayLevel` as a stock broker has it: 18 levels.
    package static let standardText = "1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h"
    package static let standard = DelayLevels(milliseconds: [
        1000, 5000, 10_000, 30_000, 60_000, 120_000, 180_000, 240_000, 300_000, 360_000, 420_000, 480_000, 540_000,
        600_000, 1_200_000, 1_800_000, 3_600_000, 7_200_000,
    ])

    /// Milliseconds of level 1, 2, and so on.
    package let milliseconds: [Int64]

    private init(milliseconds: [Int64]) { self.milliseconds = milliseconds }

    /// Levels written as numbers with a unit (s, m, h or d), separated by one space; nil when the text is anything
    /// else.
    package init?(_ text: String) {
        let units: [Character: Int64] = ["s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000]
        var milliseconds: [Int64] = []
        for item in text.split(separator: " ", omittingEmptySubsequences: false) {
            guard let unit = item.last.flatMap({ units[$0] }), let number = Int64(item.dropLast()), number >= 0 else {
                return nil
            }
            let (product, overflow) = number.multipliedReportingOverflow(by: unit)
            guard !overflow else { return nil }
            milliseconds.append(product)
        }
        self.milliseconds = milliseconds
    }

    /// The last level.
    package var maximum: Int { milliseconds.count }

    /// Delivery time of a record stored at `time` with this level; higher levels count as the last one.
    package func deliveryTime(level: Int, storedAt time: Timestamp) -> Timestamp {
        let clamped = min(level, maximum)
        let delay = clamped >= 1 ? milliseconds[clamped - 1] : 1000
        return Timestamp(milliseconds: time.milliseconds.addingReportingOverflow(delay).partialValue)
    }
}
