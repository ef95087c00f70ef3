import MQProtocol
import NIOCore
import Testing

@testable import MQStore

/// Queue files and the limit of open files.
@Suite struct OpenQueueFilesTests {
    @Test func `Half of the limit is left to others`() {
        var configuration = StoreConfiguration(directory: "/store")
        #expect(configuration.keptQueueFiles(of: 1_048_576) == 4096)
        #expect(configuration.keptQueueFiles(of: 1024) == 512)
        #expect(configuration.keptQueueFiles(of: 1) == 1)
        configuration.openQueueFiles = 10
        #expect(configuration.keptQueueFiles(of: 1024) == 10)
        #expect(configuration.keptQueueFiles() <= OpenFileLimit.current)
    }

    @Test func `The limit is raised to what the system allows`() {
        let before = OpenFileLimit.current
        let raised = OpenFileLimit.raise()
        #expect(raised >= before)
        #expect(OpenFileLimit.current == raised && OpenFileLimit.raise() == raised)
    }

    /// The system's limit is reached, or the process's. In a checkpoint's directories too.
    @Test(arguments: [23, 24] as [Int32])
    func `Without a descriptor left, queue files give theirs up, and no send is refused`(number: Int32) throws {
        let fixture = StoreFixture()
        let store = try fixture.open()
        for queue in 0..<20 as Range<Int32> { try store.put("Topic", queue, body: "m\(queue)") }
        store.dispatchPending()
        try store.flushNow()
        store.keepHouse()
        #expect(store.statistics.openQueueFiles == 20)
        try store.put("Topic", 20, body: "m20")
        store.dispatchPending()
        try store.flushNow()
        fixture.device.fail(.open, errorNumber: number)
        store.keepHouse()
        #expect(store.statistics.openQueueFiles == 11)
        #expect(store.refusal == nil)
        fixture.device.fail(.syncDirectory, errorNumber: number)
        try store.saveCheckpoint()
        #expect(store.statistics.openQueueFiles == 5)
        for queue in 0..<21 { #expect(store.pull("Topic", Int32(queue), from: 0) == ["m\(queue)"]) }
    }

    @Test func `A refusal for want of descriptors ends when there are some`() throws {
        let fixture = StoreFixture()
        let store = try fixture.open()
        try store.put("Topic")
        store.dispatchPending()
        fixture.device.fail(.open, errorNumber: 24, permanently: true)
        store.keepHouse()
        #expect(store.refusal != nil)
        fixture.device.clearFaults()
        store.keepHouse()
        #expect(store.refusal == nil)
    }
}
