import Foundation
import NIOCore

/// Changes the first file of a queue, whose broker is stopped: entries of 20 bytes, place, size and tags code.
func changeEntries(
    of topic: String, _ queueID: Int = 0, in directory: URL, _ change: (inout ByteBuffer) -> Void
) throws {
    let file = directory.appending(path: "consumequeue/\(topic)/\(queueID)/00000000000000000000")
    var entries = ByteBuffer(bytes: try Data(contentsOf: file))
    change(&entries)
    try Data(entries.readableBytesView).write(to: file)
}
