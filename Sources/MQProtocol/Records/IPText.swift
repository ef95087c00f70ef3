extension HostAddress.IP {
    /// Reads a dotted IPv4 or a colon-separated IPv6 address. An IPv4 address mapped into IPv6 (`::ffff:10.1.2.3`)
    /// becomes the IPv4 address it is, as it does in Java.
    package init?(_ text: some StringProtocol) {
        if text.utf8.contains(UInt8(ascii: ":")) {
            guard let groups = Self.groups(text) else { return nil }
            self.init(groups: groups)
        } else {
            guard let address = Self.dotted(text) else { return nil }
            self = .v4(address)
        }
    }

    private init(groups: [UInt16]) {
        let words = groups.map(UInt64.init)
        let high = words[0] << 48 | words[1] << 32 | words[2] << 16 | words[3]
        let low = words[4] << 48 | words[5] << 32 | words[6] << 16 | words[7]
        let isMapped = high == 0 && low >> 32 == 0xFFFF
        self = isMapped ? .v4(UInt32(truncatingIfNeeded: low)) : .v6(high, low)
    }

    private static func dotted(_ text: some StringProtocol) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var address: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let byte = UInt8(part)
            else { return nil }
            address = address << 8 | UInt32(byte)
        }
        return address
    }

    /// The eight groups of an IPv6 address; at most one `::` stands for the missing ones.
    private static func groups(_ text: some StringProtocol) -> [UInt16]? {
        guard text.utf8.count <= 45 else { return nil }
        guard let gap = text.firstRange(of: "::") else {
            let groups = run(text, mayEndDotted: true)
            return groups?.count == 8 ? groups : nil
        }
        guard let front = run(text[..<gap.lowerBound], mayEndDotted: false),
            let back = run(text[gap.upperBound...], mayEndDotted: true), front.count + back.count < 8
        else { return nil }
        return front + Array(repeating: 0, count: 8 - front.count - back.count) + back
    }

    /// Groups between single colons; none for an empty text.
    private static func run(_ text: some StringProtocol, mayEndDotted: Bool) -> [UInt16]? {
        if text.isEmpty { return [] }
        var groups: [UInt16] = []
        var pieces = text.split(separator: ":", omittingEmptySubsequences: false)[...]
        while let piece = pieces.popFirst() {
            guard let words = words(piece, mayBeDotted: mayEndDotted && pieces.isEmpty) else { return nil }
            groups += words
        }
        return groups
    }

    private static func words(_ piece: some StringProtocol, mayBeDotted: Bool) -> [UInt16]? {
        if mayBeDotted, piece.utf8.contains(UInt8(ascii: ".")) {
            return dotted(piece).map { [UInt16($0 >> 16), UInt16(truncatingIfNeeded: $0)] }
        }
        guard (1...4).contains(piece.utf8.count), piece.utf8.first != UInt8(ascii: "+") else { return nil }
        return UInt16(piece, radix: 16).map { [$0] }
    }
}

extension HostAddress.IP: CustomStringConvertible {
    /// IPv6 in the short form: lower case, the longest run of zero groups as `::`.
    package var description: String {
        switch self {
        case .v4(let address):
            return "\(address >> 24).\(address >> 16 & 0xFF).\(address >> 8 & 0xFF).\(address & 0xFF)"
        case .v6(let high, let low):
            let groups = [high, low].flatMap { word in
                stride(from: 48, through: 0, by: -16).map { UInt16(truncatingIfNeeded: word >> UInt64($0)) }
            }
            guard let zeros = Self.longestZeroRun(groups) else { return Self.joined(groups[...]) }
            return Self.joined(groups[..<zeros.lowerBound]) + "::" + Self.joined(groups[zeros.upperBound...])
        }
    }

    private static func joined(_ groups: ArraySlice<UInt16>) -> String {
        groups.map { String($0, radix: 16) }.joined(separator: ":")
    }

    private static func longestZeroRun(_ groups: [UInt16]) -> Range<Int>? {
        var best = 0..<0
        var start = 0
        for (index, group) in groups.enumerated() {
            if group != 0 { start = index + 1 }
            if index + 1 - start > best.count { best = start..<(index + 1) }
        }
        return best.count >= 2 ? best : nil
    }
}
