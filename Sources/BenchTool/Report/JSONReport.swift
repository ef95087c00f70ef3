import Foundation

/// The same figures for programs: one JSON object, one member per figure.
enum JSONReport {
    private struct Row: Encodable {
        var name: String
        var messagesPerSecond: Double?
        var p50Microseconds: Double?
        var p99Microseconds: Double?
        var p999Microseconds: Double?
        var shareOfLimit: [String: Double]?
        var cpuSecondsPerMillion: Double?
        var anonymousBytes: Int?
        var mappedBytes: Int?
        var diskBytesPerMessage: Double?
        var seconds: Double?
        var failure: String?
    }

    static func render(_ figures: [Figure]) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return String(decoding: try encoder.encode(["figures": figures.map(row)]), as: UTF8.self)
    }

    private static func row(_ figure: Figure) -> Row {
        let measurement = figure.measurement
        var shares: [String: Double] = [:]
        for limit in figure.limits where limit.perSecond > 0 {
            shares[limit.name] = (measurement?.perSecond ?? 0) / limit.perSecond
        }
        return Row(
            name: figure.name,
            messagesPerSecond: measurement?.perSecond,
            p50Microseconds: measurement.map { Double($0.p50) / 1000 },
            p99Microseconds: measurement.map { Double($0.p99) / 1000 },
            p999Microseconds: measurement.map { Double($0.p999) / 1000 },
            shareOfLimit: shares.isEmpty ? nil : shares,
            cpuSecondsPerMillion: figure.cpuSecondsPerMillion,
            anonymousBytes: figure.anonymousBytes,
            mappedBytes: figure.mappedBytes,
            diskBytesPerMessage: figure.diskBytesPerMessage,
            seconds: figure.seconds,
            failure: figure.failure
        )
    }
}
