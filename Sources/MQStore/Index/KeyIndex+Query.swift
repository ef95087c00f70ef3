import MQProtocol
import Synchronization

extension KeyIndex {
    /// Places of records whose key has the same hash, newest first.
    func search(
        topic: String,
        key: String,
        begin: Timestamp,
        end: Timestamp,
        maximum: Int
    ) -> [(offset: LogOffset, time: Timestamp)] {
        let hash = indexKeyHash(topic: topic.utf8.span, key: key.utf8.span)
        var found: [(LogOffset, Timestamp)] = []
        let sealed = state.withLock { state in
            for file in state.open.reversed() where found.count < maximum && file.header.overlaps(begin, end) {
                file.search(hash: hash, begin: begin, end: end, maximum: maximum, into: &found)
            }
            return state.sealed
        }
        for file in sealed.reversed() {
            if found.count >= maximum { break }
            if file.header.overlaps(begin, end), let reader = try? OpenSealedIndexFile(file, device: device) {
                reader.search(hash: hash, begin: begin, end: end, maximum: maximum, into: &found)
            }
            if file.header.begin < begin { break }
        }
        return found.map { (offset: $0.0, time: $0.1) }
    }

    /// The newest entry: its store time and place.
    var newest: (time: Timestamp, offset: LogOffset) {
        state.withLock { state in
            let header = state.open.last?.header ?? state.sealed.last?.header ?? IndexHeader()
            return (header.end, header.endOffset)
        }
    }
}
