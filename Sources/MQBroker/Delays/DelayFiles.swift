import MQProtocol
package import MQStore
import NIOCore

/// The files of the delay service: RocketMQ's `delayOffset.json`, and our watermark of the arbitrary timers.
package struct DelayFiles: Sendable {
    let levelOffsets: SideFile
    let watermark: SideFile

    package init(levelOffsets: SideFile, watermark: SideFile) {
        self.levelOffsets = levelOffsets
        self.watermark = watermark
    }

    package func loadLevelOffsets() throws(StoreError) -> [Int32: Int64] {
        try levelOffsets.load { try DelayOffsetsBody.decode($0).offsets }.value ?? [:]
    }

    package func save(levelOffsets offsets: [Int32: Int64]) throws(StoreError) {
        try levelOffsets.save(DelayOffsetsBody(offsets: offsets).encodePretty())
    }

    /// Without it, timers that fired may fire again.
    package func loadWatermark() throws(StoreError) -> FiringWatermark {
        try watermark.loadIfReadable { try FiringWatermark.decode($0) } ?? FiringWatermark()
    }

    package func save(watermark value: FiringWatermark) throws(StoreError) {
        try watermark.save(value.encodePretty())
    }
}
