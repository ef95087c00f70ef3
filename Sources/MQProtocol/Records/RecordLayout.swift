/// Positions, sizes and magic numbers of a message record (commit log, pull body, view body). Integers are big-endian.
package enum RecordLayout {
    /// A message whose topic length is one byte.
    package static let magic: Int32 = -626_843_481
    /// A message of 5.x whose topic length is two bytes; read, never written.
    package static let longTopicMagic: Int32 = -626_843_477
    /// The filler at the end of a commit-log file: its length field covers all bytes left.
    package static let blankMagic: Int32 = -875_286_124

    package static let totalSize = 0
    package static let magicCode = 4
    package static let bodyCRC = 8
    package static let queueID = 12
    package static let flag = 16
    package static let queueOffset = 20
    package static let physicalOffset = 28
    package static let sysFlag = 36
    package static let bornTimestamp = 40
    package static let bornHost = 48

    /// 56, or 68 behind an IPv6 born host.
    @inlinable
    package static func storeTimestamp(_ sysFlag: SysFlag) -> Int {
        sysFlag.contains(.bornHostV6) ? 68 : 56
    }

    /// Bytes of a record besides body, topic and properties when both hosts are IPv4; 12 more for each IPv6 host.
    package static let fixedBytes = 91
    /// What an IPv6 host takes more than an IPv4 one.
    package static let extraHostBytes = 12
    /// The length and the magic of a blank record; so much stays free at the end of every file.
    package static let blankBytes = 8

    package static let maximumTopicBytes = 127
    package static let maximumPropertiesBytes = 32_767

    @inlinable
    package static func fixedBytes(_ sysFlag: SysFlag) -> Int {
        fixedBytes
            + (sysFlag.contains(.bornHostV6) ? extraHostBytes : 0)
            + (sysFlag.contains(.storeHostV6) ? extraHostBytes : 0)
    }
}

/// What a record may weigh; a property of the broker (`maxMessageSize`).
package struct RecordLimits: Hashable, Sendable {
    /// The body as stored, that is after compression by the producer. Default: 4 MiB.
    package var maximumBodyBytes: Int
    /// The whole record: the body's limit and 64 KiB.
    package var maximumRecordBytes: Int { maximumBodyBytes + 65_536 }

    package init(maximumBodyBytes: Int = 4_194_304) {
        self.maximumBodyBytes = maximumBodyBytes
    }

    /// What the format allows: for messages that were accepted before.
    package static let ofFormat = RecordLimits(maximumBodyBytes: Int(Int32.max) - 65_536)
}
