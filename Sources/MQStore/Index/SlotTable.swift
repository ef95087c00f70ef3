import NIOCore

/// The hash slots of the index file being written, in memory by pages of 4 KiB that appear when they are touched.
///
/// Slots are written to the file page by page and only when it is full or closed: through a writable map, each
/// key would dirty another page that the system then writes again and again.
struct SlotTable: Sendable {
    private static let perPage = 1024

    let count: Int
    /// Whether pages not in memory are in the file; otherwise they are zero.
    private let isBacked: Bool
    private var pages: [[Int32]]
    private var dirty: [Bool]

    init(count: Int, isBacked: Bool) {
        self.count = count
        self.isBacked = isBacked
        let pageCount = (count + Self.perPage - 1) / Self.perPage
        pages = Array(repeating: [], count: pageCount)
        dirty = Array(repeating: false, count: pageCount)
    }

    /// Puts `number` into the slot and returns what was there.
    mutating func exchange(
        _ slot: Int,
        _ number: Int32,
        load: (_ firstSlot: Int, _ count: Int) throws(StoreError) -> [Int32]
    ) throws(StoreError) -> Int32 {
        let page = slot / Self.perPage
        if pages[page].isEmpty { pages[page] = try fresh(page, load) }
        dirty[page] = true
        let old = pages[page][slot % Self.perPage]
        pages[page][slot % Self.perPage] = number
        return old
    }

    /// Nil when the slot is only in the file.
    func value(_ slot: Int) -> Int32? {
        let page = pages[slot / Self.perPage]
        if page.isEmpty { return isBacked ? nil : 0 }
        return page[slot % Self.perPage]
    }

    /// Calls `write` with runs of changed pages, in order, and forgets that they changed.
    mutating func writeChanged(
        _ write: (_ firstSlot: Int, _ bytes: ByteBuffer) throws(StoreError) -> Void
    ) throws(StoreError) {
        var page = 0
        while page < pages.count {
            guard dirty[page] else {
                page += 1
                continue
            }
            let first = page
            var bytes = ByteBuffer()
            while page < pages.count, dirty[page], page - first < 256 {
                for value in pages[page] { bytes.writeInteger(value) }
                page += 1
            }
            try write(first * Self.perPage, bytes)
            for written in first..<page { dirty[written] = false }
        }
    }

    private func fresh(
        _ page: Int,
        _ load: (_ firstSlot: Int, _ count: Int) throws(StoreError) -> [Int32]
    ) throws(StoreError) -> [Int32] {
        let first = page * Self.perPage
        let size = min(Self.perPage, count - first)
        return isBacked ? try load(first, size) : [Int32](repeating: 0, count: size)
    }
}
