/// What a run leaves behind.
public struct FlowReport: Sendable {
    public var title: String
    public var totals: Totals
    public var checks: [CheckResult]
    public var malformedRows: [MalformedRow]
    /// From the first to the last step of this run, the checks included.
    public var seconds: Double
    public var isResumed: Bool
    /// False when the run was given up because nothing moved any more.
    public var isComplete: Bool

    public var violations: Int { checks.map(\.violations).reduce(0, +) }
}
