/// One measured row, ready for the table and for JSON.
struct Figure: Sendable {
    /// What the machine could do at best, measured in the same run.
    struct Limit: Sendable {
        /// `echo` or `group commit`.
        var name: String
        var perSecond: Double
    }

    var name: String
    var measurement: Measurement?
    var limits: [Limit] = []
    var cpuSecondsPerMillion: Double?
    var anonymousBytes: Int?
    var mappedBytes: Int?
    var diskBytesPerMessage: Double?
    var seconds: Double?
    /// Why there is no measurement.
    var failure: String?
}
