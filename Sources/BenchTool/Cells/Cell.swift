/// One row of the table: a load, and the broker it is put on.
struct Cell: Sendable {
    enum Load: Sendable {
        /// One message per request.
        case send(bodyBytes: Int)
        /// Sixteen messages per request.
        case batch(bodyBytes: Int)
        /// Half message, then commit.
        case transaction(bodyBytes: Int)
        /// Reading a backlog of so many messages.
        case drain(messages: Int)
    }

    enum Flush: String, Sendable {
        case async
        case sync
    }

    enum Store: String, Sendable {
        case fresh
        /// Filled, then opened again.
        case aged
    }

    var load: Load
    var flush: Flush
    var store = Store.fresh
    var connections = 1
    /// Requests under way on each connection.
    var inFlight: Int

    static let batchSize = 16

    var name: String {
        let width = connections > 1 ? "\(connections)x\(inFlight)" : "\(inFlight)"
        let suffix = store == .aged ? "-aged" : ""
        switch load {
        case .send(let bytes): return "send-\(bytes)-\(flush.rawValue)-\(width)\(suffix)"
        case .batch(let bytes): return "batch-\(bytes)-\(flush.rawValue)-\(width)\(suffix)"
        case .transaction(let bytes): return "transaction-\(bytes)-\(flush.rawValue)-\(width)\(suffix)"
        case .drain: return "drain-\(flush.rawValue)-\(width)\(suffix)"
        }
    }

    var messagesPerRequest: Int {
        if case .batch = load { Self.batchSize } else { 1 }
    }
}

extension Cell {
    /// Everything the bench measures, grouped by the broker it runs on.
    ///
    /// - Parameter backlog: messages of the drain.
    static func all(backlog: Int) -> [Cell] {
        let flushes: [Flush] = [.async, .sync]
        var cells: [Cell] = []
        for flush in flushes {
            for bytes in [128, 1024] {
                for inFlight in [1, 16, 64] {
                    cells.append(Cell(load: .send(bodyBytes: bytes), flush: flush, inFlight: inFlight))
                }
            }
            cells.append(Cell(load: .send(bodyBytes: 128), flush: flush, inFlight: 256))
            cells.append(Cell(load: .send(bodyBytes: 128), flush: flush, connections: 64, inFlight: 1))
            cells.append(Cell(load: .batch(bodyBytes: 128), flush: flush, inFlight: 64))
            for inFlight in [1, 32] {
                cells.append(Cell(load: .transaction(bodyBytes: 128), flush: flush, inFlight: inFlight))
            }
        }
        cells.append(Cell(load: .drain(messages: backlog), flush: .async, inFlight: 32))
        for inFlight in [1, 64] {
            cells.append(Cell(load: .send(bodyBytes: 128), flush: .sync, store: .aged, inFlight: inFlight))
        }
        return cells
    }
}
