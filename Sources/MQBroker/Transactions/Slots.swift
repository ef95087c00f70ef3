/// Values that are found again by an index, without a search. The place of one that was removed serves another, under
/// another index.
struct Slots<Value: Sendable>: Sendable {
    struct Index: Equatable, Sendable {
        fileprivate let place: Int
        /// Tells the values apart that are at this place in turn.
        fileprivate let number: Int
    }

    private struct Slot: Sendable {
        /// Zero while there is no value.
        var number: Int
        var value: Value?
    }

    /// Places beyond these are given up when the last value goes.
    static var keptPlaces: Int { 1024 }

    private var slots: [Slot] = []
    private var freePlaces: [Int] = []
    private var nextNumber = 1

    var count: Int { slots.count - freePlaces.count }
    var values: some Sequence<Value> { slots.lazy.compactMap(\.value) }

    /// The index under which the next value is inserted.
    var nextIndex: Index { Index(place: freePlaces.last ?? slots.count, number: nextNumber) }

    mutating func insert(_ value: Value) {
        let slot = Slot(number: nextNumber, value: value)
        nextNumber += 1
        if let place = freePlaces.popLast() { slots[place] = slot } else { slots.append(slot) }
    }

    func contains(_ index: Index) -> Bool {
        index.place < slots.count && slots[index.place].number == index.number
    }

    /// Nil for a value that was removed.
    subscript(index: Index) -> Value? { contains(index) ? slots[index.place].value : nil }

    /// Changes the value if it is there.
    mutating func update(_ index: Index, _ change: (inout Value) -> Void) {
        guard contains(index), var value = slots[index.place].value.take() else { return }
        change(&value)
        slots[index.place].value = value
    }

    mutating func remove(at index: Index) -> Value? {
        guard contains(index) else { return nil }
        let value = slots[index.place].value.take()
        slots[index.place].number = 0
        freePlaces.append(index.place)
        if count == 0, slots.count > Self.keptPlaces { (slots, freePlaces) = ([], []) }
        return value
    }
}
