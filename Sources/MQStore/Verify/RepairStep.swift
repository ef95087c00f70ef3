/// What repairing does about a finding. No step touches a good record, none deletes.
package enum RepairStep: Sendable, Hashable, Comparable {
    /// The file's previous version becomes the file; the damaged one is set aside.
    case restore(path: String)
    /// Moved into the quarantine folder.
    case setAside(path: String)
    /// A copy of the bytes is set aside and zeros are written over them.
    case clearTail(path: String, from: Int, to: Int)
    /// Zeros are appended.
    case lengthen(path: String, to: Int)
    /// Consume queues, index and their records are brought up to the log from what is still there.
    case rebuild

    package var text: String {
        switch self {
        case .restore(let path): "put \(path).bak in its place and set the damaged file aside"
        case .setAside(let path): "set \(path) aside"
        case .clearTail(let path, let from, let to):
            "set a copy of bytes \(from)..<\(to) of \(path) aside and overwrite them with zeros"
        case .lengthen(let path, let length): "lengthen \(path) with zeros to \(length) bytes"
        case .rebuild: "build what is missing of consume queues and index from the log"
        }
    }

    /// The order of execution: what the log is comes before what is derived from it.
    private var rank: Int {
        switch self {
        case .restore: 0
        case .lengthen: 1
        case .clearTail: 2
        case .setAside: 3
        case .rebuild: 4
        }
    }

    package static func < (left: Self, right: Self) -> Bool {
        left.rank != right.rank ? left.rank < right.rank : left.text < right.text
    }
}
