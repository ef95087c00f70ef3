import MQProtocol
import NIOCore
import Testing

@testable import Faults

/// The check of damaged stores, on made-up answers.
@Suite("The check of damaged files")
struct FileCheckTests {
    private let places = (0..<3).map { Place(queue: QueueName("T", 0), offset: Int64($0)) }
    private let check: FileCheck
    private var served: ServedRecords = [:]

    init() {
        let bytes = (0..<3).map { ByteBuffer(repeating: UInt8($0), count: 100) }
        let records = zip(places, bytes).enumerated().map {
            StoredRecord(place: $1.0, logOffset: Int64($0 * 100), bytes: $1.1)
        }
        check = FileCheck(records: records, hasRecordChecksum: true)
        for (place, bytes) in zip(places, bytes) { served[place] = bytes }
    }

    private func violated(_ damage: Damage = Damage(), _ reports: [String] = []) -> [Invariant] {
        check.violations(served, damage, reports: reports).map(\.invariant)
    }

    @Test("accepts what was stored, and damage that is missing and reported")
    mutating func accepts() {
        #expect(violated() == [])
        served[places[1]] = nil
        let damage = Damage(mayMiss: [places[1]], reports: [["commitlog/0", " at 100 "]])
        #expect(violated(damage, ["the record in /store/commitlog/0 at 100 is damaged"]) == [])
        #expect(violated(damage, ["the record in /store/commitlog/0 at 1000 is damaged"]) == [.corruption])
    }

    @Test("finds a record that is missing, missing without a word, altered, or was never stored")
    mutating func finds() {
        served[places[1]] = nil
        #expect(violated() == [.lost])
        #expect(violated(Damage(mayMiss: [places[1]], reports: [["commitlog/"]])) == [.corruption])
        served[places[1]] = ByteBuffer(repeating: 9, count: 100)
        #expect(violated(Damage(mayMiss: [places[1]])) == [.altered])
        served[places[1]] = ByteBuffer(repeating: 1, count: 100)
        served[Place(queue: QueueName("T", 0), offset: 7)] = ByteBuffer()
        #expect(violated() == [.altered])
    }
}
