import Testing

@testable import ShopFlow

@Suite struct FlowReportTextTests {
    /// The messages are those of all runs of the store, the seconds only those of the last one.
    @Test func aResumedRunShowsNoRate() {
        var report = FlowReport(
            title: "Demo", totals: Totals(), checks: [], malformedRows: [], seconds: 2, isResumed: false,
            isComplete: true)
        report.totals.messages = 100
        #expect(report.text(isColoured: false).contains("in 2.0 s, 50/s"))
        report.isResumed = true
        let resumed = report.text(isColoured: false)
        #expect(resumed.contains("in all runs; this one took 2.0 s"))
        #expect(!resumed.contains("/s"))
    }
}
