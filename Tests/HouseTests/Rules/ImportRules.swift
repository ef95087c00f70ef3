import Foundation

/// Which target may import what: the arrows of the design, and no sockets or Foundation where they do not belong.
enum ImportRules {
    private static let everywhere: Set<String> = ["Synchronization"]
    private static let foundation: Set<String> = ["Foundation", "FoundationEssentials"]
    private static let platform: Set<String> = ["Glibc", "Musl", "Darwin"]

    static let allowed: [String: Set<String>] = [
        "MQProtocol": ["NIOCore", "CZlib", "CChecksum"],
        "MQStore": ["MQProtocol", "NIOCore", "Logging", "DequeModule", "HeapModule"],
        "MQRemoting": ["MQProtocol", "NIOCore", "NIOPosix", "NIOTLS", "NIOSSL", "Logging", "DequeModule"],
        // From here up, NIOPosix is for the type of the event-loop group only: sockets are MQRemoting's.
        "MQNameServer": ["MQProtocol", "MQRemoting", "NIOCore", "NIOPosix", "Logging", "ServiceLifecycle"],
        "MQBroker": [
            "MQProtocol", "MQStore", "MQRemoting", "NIOCore", "NIOPosix", "Logging", "ServiceLifecycle", "DequeModule",
            "HeapModule",
        ],
        "MQClient": ["MQProtocol", "MQRemoting", "NIOCore", "NIOPosix", "Logging", "ServiceLifecycle", "DequeModule"],
        "Schema": [],
        "MQEmbedded": [
            "MQNameServer", "MQBroker", "MQRemoting", "MQProtocol", "NIOCore", "NIOPosix", "Logging",
            "ServiceLifecycle",
        ],
        "Escrow": [
            "MQClient", "MQEmbedded", "MQProtocol", "Schema", "GRDB", "NIOCore", "Logging", "ServiceLifecycle",
            "DequeModule", "CoreMetrics", "Tracing",
        ],
        "NameServerTool": [
            "MQNameServer", "MQProtocol", "MQRemoting", "ArgumentParser", "Logging", "ServiceLifecycle", "UnixSignals",
            "NIOCore", "NIOPosix",
        ],
        "BrokerTool": [
            "MQBroker", "MQStore", "MQProtocol", "MQRemoting", "ArgumentParser", "Logging", "ServiceLifecycle",
            "UnixSignals", "NIOCore", "NIOPosix",
        ],
        "AdminTool": ["MQClient", "MQProtocol", "ArgumentParser", "Logging", "NIOCore", "NIOPosix"],
        // Compares the framework with the same rows written by hand.
        "EscrowBenchTool": ["Escrow", "MQClient", "MQEmbedded", "MQProtocol", "GRDB", "ArgumentParser", "Logging"],
        "BenchTool": [
            "MQClient", "MQProtocol", "MQRemoting", "MQStore", "ProcessOutput", "ArgumentParser", "Logging",
            "ServiceLifecycle", "NIOCore", "NIOPosix", "Histogram", "Subprocess",
        ],
        "ProcessOutput": [],
        // MQBroker and MQStore for the commands that read and repair a broker's directory.
        "EscrowTool": [
            "ShopFlow", "Escrow", "MQBroker", "MQStore", "MQClient", "MQProtocol", "ArgumentParser", "Logging",
            "UnixSignals",
        ],
        // The samples' services know each other's events and nothing else of each other.
        "ShopEvents": ["Escrow", "MQProtocol", "GRDB"],
        "OrderService": ["Escrow", "ShopEvents", "MQProtocol", "GRDB", "ServiceLifecycle"],
        "InventoryService": ["Escrow", "ShopEvents", "MQProtocol", "GRDB", "ServiceLifecycle"],
        "RegistrationMail": ["Escrow", "ShopEvents", "MQProtocol", "GRDB", "Logging", "ServiceLifecycle"],
        "ShopFlow": [
            "OrderService", "InventoryService", "RegistrationMail", "ShopEvents", "Escrow", "MQEmbedded", "MQClient",
            "MQProtocol", "GRDB", "NIOCore", "Logging", "ServiceLifecycle",
        ],
        "SampleTool": [
            "Escrow", "ShopEvents", "MQClient", "GRDB", "ArgumentParser", "Logging", "ServiceLifecycle", "UnixSignals",
        ],
        "OrderServiceTool": ["OrderService", "ShopEvents", "SampleTool", "Escrow", "ArgumentParser"],
        "InventoryServiceTool": ["InventoryService", "SampleTool", "ArgumentParser"],
        "RegistrationMailTool": ["RegistrationMail", "SampleTool", "Escrow", "ArgumentParser"],
    ]

    /// Executables; the framework, whose codecs and database need it; the name server: its files are small and nothing
    /// waits for them; the embedded broker, for its temporary directory; the samples, for their files.
    private static let withFoundation: Set<String> = [
        "MQNameServer", "MQEmbedded", "Escrow", "NameServerTool", "BrokerTool", "AdminTool", "BenchTool",
        "EscrowBenchTool", "EscrowTool", "RegistrationMail", "ShopFlow", "SampleTool", "RegistrationMailTool",
    ]

    /// Files in which the C library is called, each with its reason.
    private static let platformFiles: [String: String] = [
        "Sources/MQStore/File/": "files and maps",
        "Sources/MQProtocol/Time/PlatformClock.swift": "clock and calendar",
        "Sources/MQRemoting/Connection/ConnectionFailure.swift": "names of errno values",
        "Sources/MQClient/LocalMachine.swift": "process id and host name",
        "Sources/MQClient/Consuming/LocalFile.swift": "a broadcasting consumer's offsets",
    ]

    /// The only places that open sockets: everything goes through MQRemoting, except what measures MQRemoting.
    private static let withSockets: Set<String> = ["MQRemoting", "BenchTool"]

    private static func socketType(_ line: Substring) -> String? {
        line.firstMatch(of: /\b(ServerBootstrap|ClientBootstrap|DatagramBootstrap|NIOPipeBootstrap)\b/)
            .map { String($0.1) }
    }

    static let rule = Rule(name: "imports follow the arrows") { file in
        guard file.isSwift, file.isSource else { return [] }
        return file.code.enumerated().compactMap { index, line in
            complaint(line, in: file).map { Violation(path: file.path, line: index + 1, message: $0) }
        }
    }

    /// The module an import line names.
    static func module(_ line: Substring) -> String? {
        let pattern =
            #/
            ^\s*
            (?: @\w+ (?: \(\w+\) )? \s+ | (?: package|public|internal|private|fileprivate ) \s+ )*
            import \s+
            (?: (?: struct|class|enum|protocol|func|var|let|typealias ) \s+ )?
            (\w+)
            /#
        return line.firstMatch(of: pattern).map { String($0.1) }
    }

    private static func complaint(_ line: Substring, in file: SourceFile) -> String? {
        guard line.contains("import") || line.contains("Bootstrap") else { return nil }
        if !withSockets.contains(file.target), let socket = socketType(line) {
            return "\(socket) outside MQRemoting"
        }
        guard let module = module(line) else { return nil }
        guard let modules = allowed[file.target] else { return "\(file.target) has no line in the table of imports" }
        if modules.contains(module) || everywhere.contains(module) { return nil }
        if foundation.contains(module), withFoundation.contains(file.target) { return nil }
        if platform.contains(module), platformFiles.keys.contains(where: { file.path.hasPrefix($0) }) { return nil }
        return "\(file.target) must not import \(module)"
    }
}
