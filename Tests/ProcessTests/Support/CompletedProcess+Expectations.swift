import ProcessSupport
import Testing

extension CompletedProcess {
    /// The process gave up with this exit code, and one line on standard error says why.
    func expectFailure(
        code: Int, mentioning texts: [String], sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(exit == .code(code), "it said \(errors)", sourceLocation: sourceLocation)
        #expect(errors.count == 1, "it said \(errors)", sourceLocation: sourceLocation)
        for text in texts {
            #expect(
                errors.first?.contains(text) == true, "it said \(errors), without \(text)",
                sourceLocation: sourceLocation)
        }
    }
}
