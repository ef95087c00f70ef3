import MQProtocol
import NIOCore
import TestSupport
import Testing

@Suite struct SendAnswerTests {
    private func written(_ answer: SendAnswer, to request: ReplyTo) -> (quick: ByteBuffer, general: ByteBuffer) {
        var quick = ByteBuffer(string: "before")
        quick.moveReaderIndex(forwardBy: 3)
        var general = quick
        quick.writeAnswer(answer, to: request)
        general.writeResponse(.success, to: request, header: answer.header)
        return (quick, general)
    }

    @Test func theQuickWayWritesTheSameBytes() {
        var random = SeededGenerator()
        let numbers: [Int64] = [0, 7, 10, 99_999_999, 100_000_000, 9_999_999_999_999_999, .max, -1, .min]
        for round in 0..<2000 {
            let number = round < numbers.count ? numbers[round] : Int64.random(in: 0 ... .max, using: &random)
            let narrow = Int32(truncatingIfNeeded: number)
            let host = HostAddress(ip: .v4(UInt32.random(in: 0 ... .max, using: &random)), port: 10911)
            let answer = SendAnswer(
                id: OffsetMessageID(host: host, offset: LogOffset(rawValue: number)), queueID: narrow,
                queueOffset: QueueOffset(rawValue: number >> Int64(round % 64)), region: "DefaultRegion", traceOn: true)
            let (quick, general) = written(answer, to: ReplyTo(opaque: narrow))
            #expect(quick == general)
        }
    }

    @Test(arguments: [HeaderEncoding.json, .binary])
    func theAnswerToAVerdictIsTheGeneralOne(_ encoding: HeaderEncoding) {
        for opaque in [0, 7, 123_456_789, -1, .max, .min] as [Int32] {
            let request = ReplyTo(opaque: opaque, encoding: encoding)
            var quick = ByteBuffer(string: "before")
            quick.moveReaderIndex(forwardBy: 3)
            var general = quick
            quick.writeAccepted(request)
            general.writeResponse(.success, to: request, header: EndTransactionResponseHeader(.accepted))
            #expect(quick == general)
        }
    }

    @Test(arguments: [HeaderEncoding.json, .binary])
    func otherAnswersGoTheGeneralWay(_ encoding: HeaderEncoding) {
        let hosts: [HostAddress.IP] = [.v4(1), .v6(1, 2)]
        for (ip, region, traceOn) in [
            (hosts[0], "r1", true), (hosts[0], "DefaultRegion", false), (hosts[1], "r", true),
        ] {
            let answer = SendAnswer(
                id: OffsetMessageID(host: HostAddress(ip: ip, port: 1), offset: .zero), queueID: 1, queueOffset: .zero,
                region: region, traceOn: traceOn)
            let (quick, general) = written(answer, to: ReplyTo(opaque: 5, encoding: encoding))
            #expect(quick == general)
        }
    }
}
