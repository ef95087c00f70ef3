import MQProtocol
import ShopEvents

/// What customers are going to do, decided beforehand: the same settings make the same customers.
struct Workload: Sendable {
    var orders: [PlannedOrder] = []
    var returns: [PlannedReturn] = []
    var users: [PlannedUser] = []
    /// What is on the shelves at the beginning.
    var shelves: [Shelf] = []
    var input = InputCounts()

    /// Its name in the store: another workload is refused there.
    var fingerprint: String {
        var hash = FNV1a()
        for order in orders { hash.add(order.id, order.lines) }
        for note in returns { hash.add(note.id, note.lines) }
        for user in users { hash.add(user.address) }
        for shelf in shelves {
            hash.add(shelf.code)
            hash.add(String(shelf.quantity))
        }
        return String(hash.value, radix: 16)
    }

    /// Things to do, for the progress bar.
    var steps: Int { orders.count + returns.count + users.count }
}

struct PlannedOrder: Sendable {
    var id: String
    var lines: [Line]
    var behaviour: Behaviour

    /// The bank's name of its payment.
    var payment: String { Self.payment(of: id) }
}

/// What the customer of an order does when the stock is reserved.
enum Behaviour: Sendable, Hashable {
    case pays
    /// Lets the deadline pass.
    case forgets
    /// Pays when the order has been cancelled.
    case paysLate

    /// Decided by the order's name, so that every run, and everybody who reads the file, comes to the same.
    ///
    /// - Parameter unpaid: percent of orders that are not paid in time. Of those, one in eight is paid later.
    static func of(_ order: String, unpaid: Int, seed: UInt64) -> Behaviour {
        guard hash(order) % 100 < UInt32(clamping: unpaid) else { return .pays }
        return hash("\(seed)/late/\(order)") % 8 == 0 ? .paysLate : .forgets
    }

    private static func hash(_ text: String) -> UInt32 {
        let bytes = Array(text.utf8)
        return crc32(bytes.span)
    }
}

struct PlannedReturn: Sendable {
    var id: String
    var lines: [Line]
}

struct PlannedUser: Sendable {
    var address: String
    var name: String
    var phone: String?
}

struct Shelf: Sendable {
    var code: String
    var quantity: Int64
}

/// The 64-bit hash FNV-1a: the same on every platform.
struct FNV1a {
    private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    mutating func add(_ text: String) {
        for byte in text.utf8 { add(byte) }
        add(UInt8(0))
    }

    mutating func add(_ id: String, _ lines: [Line]) {
        add(id)
        for line in lines {
            add(line.code)
            add(String(line.position))
            add(String(line.quantity))
        }
    }

    private mutating func add(_ byte: UInt8) {
        value = (value ^ UInt64(byte)) &* 0x100_0000_01B3
    }
}

/// SplitMix64: the same numbers for the same seed on every platform.
struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
