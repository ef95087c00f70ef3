/// One file of a simulated disk, whatever its names. Only touched under the device's lock.
final class SimulatedNode: @unchecked Sendable {
    static let blockBytes = 4096

    /// What the running system sees.
    private(set) var memory = SharedMemory(capacity: SimulatedNode.blockBytes)
    private(set) var length = 0
    private var isMapped = false
    /// Blocks that occupy space.
    private(set) var blocks: Set<Int> = []
    private(set) var modified: Int64 = 0

    /// What the disk has.
    private var durable = SharedMemory(capacity: SimulatedNode.blockBytes)
    private var durableLength = 0
    /// Sectors written since they were last made durable.
    private var dirty: Set<Int> = []
    var failedFlushes = 0
    let sectorBytes: Int

    init(sectorBytes: Int) { self.sectorBytes = sectorBytes }

    func setLength(_ new: Int, now: Int64) {
        if new < length {
            memory.clear(new..<length)
            dirty.formUnion(sectors(of: new..<length))
            blocks = blocks.filter { $0 * Self.blockBytes < new }
        }
        reserve(new)
        length = new
        modified = now
    }

    func write(_ bytes: Span<UInt8>, at offset: Int, now: Int64) {
        guard bytes.count > 0 else { return }
        let range = offset..<offset + bytes.count
        reserve(range.upperBound)
        memory.store(bytes, at: offset)
        length = max(length, range.upperBound)
        dirty.formUnion(sectors(of: range))
        blocks.formUnion(Self.blocks(of: range))
        modified = now
    }

    func map(length: Int) -> MappedRegion {
        reserve(length)
        isMapped = true
        return MappedRegion(memory: memory, length: length)
    }

    func nextData(from offset: Int) -> Range<Int>? {
        var block = offset / Self.blockBytes
        let end = (length + Self.blockBytes - 1) / Self.blockBytes
        while block < end, !blocks.contains(block) { block += 1 }
        guard block < end, offset < length else { return nil }
        let start = max(offset, block * Self.blockBytes)
        while block < end, blocks.contains(block) { block += 1 }
        return start..<min(block * Self.blockBytes, length)
    }

    func flush() {
        for sector in dirty { keep(sector) }
        dirty.removeAll()
        durableLength = length
    }

    /// A failed flush: some sectors reached the disk, the system takes all for written.
    func loseDirtySectors(dropsPages: Bool, _ random: inout SimulatedRandom) {
        failedFlushes += 1
        for sector in dirty.sorted() {
            if random.next(upTo: 1) == 0 {
                keep(sector)
            } else if dropsPages {
                forget(sector)
            }
        }
        dirty.removeAll()
        durableLength = length
    }

    func dropCache() {
        for sector in 0..<(length + sectorBytes - 1) / sectorBytes where !dirty.contains(sector) { forget(sector) }
    }

    /// What is left after the power went: the durable bytes and a random part of the others.
    func afterCrash(_ random: inout SimulatedRandom) -> SimulatedNode {
        // Sometimes nothing unflushed survives, sometimes nearly all, sometimes every second sector.
        let chance = random.next(upTo: 4)
        for sector in dirty.sorted() where random.next(upTo: 3) < chance { keep(sector) }
        if random.next(upTo: 1) == 0 { durableLength = length }
        let node = SimulatedNode(sectorBytes: sectorBytes)
        node.durable = durable
        node.durableLength = durableLength
        node.length = durableLength
        node.modified = modified
        node.memory = SharedMemory(capacity: durable.capacity)
        node.reserve(durableLength)
        node.memory.copy(0..<min(durable.capacity, durableLength), from: durable)
        node.blocks = blocks.filter { $0 * Self.blockBytes < durableLength }
        return node
    }

    func flipBit(byte: Int, bit: Int) {
        guard byte >= 0, byte < length else { return }
        memory[byte] ^= 1 << UInt8(bit & 7)
        if byte < durable.capacity { durable[byte] ^= 1 << UInt8(bit & 7) }
    }

    static func blocks(of range: Range<Int>) -> Range<Int> {
        range.lowerBound / blockBytes..<(range.upperBound + blockBytes - 1) / blockBytes
    }

    private func sectors(of range: Range<Int>) -> Range<Int> {
        range.lowerBound / sectorBytes..<(range.upperBound + sectorBytes - 1) / sectorBytes
    }

    private func keep(_ sector: Int) {
        let range = bytes(of: sector)
        if range.upperBound > durable.capacity {
            let larger = SharedMemory(capacity: memory.capacity)
            larger.copy(0..<larger.capacity, from: durable)
            durable = larger
        }
        if !range.isEmpty { durable.copy(range, from: memory) }
    }

    private func forget(_ sector: Int) {
        let range = bytes(of: sector)
        if !range.isEmpty { memory.copy(range, from: durable) }
    }

    private func bytes(of sector: Int) -> Range<Int> {
        let start = min(sector * sectorBytes, memory.capacity)
        return start..<min(start + sectorBytes, memory.capacity)
    }

    /// Maps keep their memory, so a mapped file must have its length before.
    private func reserve(_ needed: Int) {
        guard needed > memory.capacity else { return }
        precondition(!isMapped, "a simulated file grows behind a map")
        let sector = max(sectorBytes, Self.blockBytes)
        let larger = SharedMemory(capacity: (max(needed, memory.capacity * 2) + sector - 1) / sector * sector)
        larger.copy(0..<larger.capacity, from: memory)
        memory = larger
    }
}
