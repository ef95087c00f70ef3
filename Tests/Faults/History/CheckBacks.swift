/// The broker's questions about transactions whose verdict it has: there should be none. Pure.
struct CheckBacks: Sendable {
    /// How long after a verdict was accepted a question may come that was asked before, in milliseconds.
    static let grace: Int64 = 3000

    private struct Question: Sendable {
        var number: Int64
        /// When the verdict was.
        var accepted: Int64
        var asked: Int64
    }

    /// By message, when the broker said that it has the verdict.
    private var accepted: [Int64: Int64] = [:]
    private var late: [Question] = []
    /// The broker is away, or something is wrong with it: what it says meanwhile is left out.
    var isDisturbed = true

    mutating func accept(_ number: Int64, at time: Int64) {
        if !isDisturbed { accepted[number] = time }
    }

    mutating func ask(_ number: Int64, at time: Int64) {
        guard !isDisturbed, let accepted = accepted[number], time > accepted + Self.grace else { return }
        late.append(Question(number: number, accepted: accepted, asked: time))
        // The answer is another verdict.
        self.accepted[number] = nil
    }

    /// Nothing is known any more of what the broker has.
    mutating func forget() { accepted = [:] }

    /// What was found since this was asked last.
    ///
    /// - Parameter lossWindows: when what was accepted may be lost.
    mutating func takeViolations(excusing lossWindows: [ClosedRange<Int64>]) -> [Violation] {
        defer { late = [] }
        return late.filter { question in !lossWindows.contains { $0.contains(question.accepted) } }.map { question in
            let text = "message \(question.number) was asked about, \(question.asked - question.accepted) ms after its"
            return Violation(.transaction, text + " verdict was accepted")
        }
    }
}
