/// Where memory may be handled without the compiler's checks.
enum UnsafeRules {
    static let all = [marked, unchecked]

    /// The files that may say `unsafe`, each with its reason. A path that ends in `/` is a folder.
    static let allowed: [String: String] = [
        "Sources/MQStore/File/": "system calls and maps",
        "Sources/MQProtocol/Compression/Zlib.swift": "the C interface of zlib",
        "Sources/MQProtocol/Checksum/CRC32.swift": "the C interfaces of checksums",
        "Sources/MQProtocol/Records/BigEndian.swift": "unaligned integer loads",
        "Sources/MQProtocol/Records/RawCopy.swift": "a copy whose bounds are checked once",
        "Sources/MQProtocol/Time/PlatformClock.swift": "the C library's clock and calendar",
        "Sources/MQClient/Consuming/LocalFile.swift": "system calls on the offset file",
        "Tests/Faults/World/PowerSwitch.swift": "the system call that ends a file system's power",
    ]

    /// Types whose thread safety the compiler takes on trust.
    static let uncheckedAllowed = ["Sources/MQStore/File/"]

    static let marked = Rule.lines(
        "unsafe only where it is allowed", mentioning: ["unsafe", "Unsafe"], where: { !isAllowed($0.path) }
    ) { line in
        line.firstMatch(of: /\bunsafe\b|\bwithUnsafe\w+|\bUnsafe\w*Pointer\w*|\bunsafeBitCast/)
            .map { "\($0.0) outside the allowed files" }
    }

    static let unchecked = Rule.lines(
        "@unchecked Sendable only where it is allowed", mentioning: ["@unchecked"],
        where: { file in file.isSwift && !uncheckedAllowed.contains { file.path.hasPrefix($0) } },
        { line in line.contains("@unchecked") ? "@unchecked outside the allowed files" : nil })

    private static func isAllowed(_ path: String) -> Bool {
        !path.hasSuffix(".swift")
            || allowed.keys.contains { $0.hasSuffix("/") ? path.hasPrefix($0) : path == $0 }
    }
}
