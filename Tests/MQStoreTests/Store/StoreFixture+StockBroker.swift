import NIOCore

@testable import MQStore

extension StoreFixture {
    /// Runs a store that neither sees nor changes our record, as a stock broker does.
    func asStockBroker(isKilled: Bool = false, _ body: (MessageStore) throws -> Void) throws {
        let record = try tree("/store/escrow")
        try removeTree("/store/escrow")
        let store = try open()
        try body(store)
        store.dispatchPending()
        if isKilled { try kill(store) } else { try store.close() }
        try removeTree("/store/escrow")
        try device.createDirectory("/store/escrow")
        for (name, bytes) in record {
            let file = try device.open("/store/escrow/\(name)", .create)
            try file.write(bytes, at: 0)
            try file.flush()
        }
        try device.syncDirectory("/store/escrow")
    }

    /// Kills the process when everything was flushed or written.
    func kill(_ store: MessageStore) throws {
        try store.flushNow()
        store.keepHouse()
        device.kill()
    }
}
