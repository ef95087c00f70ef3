// swift-tools-version:6.2

import PackageDescription

/// Every target compiles with the same settings: a warning is an error, an unsafe expression says so.
let commonSettings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableExperimentalFeature("Lifetimes"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

/// A bug planted on purpose, for the fault laboratory's controls: a build that sets this variable is for them alone.
let plantedBugs = Context.environment["ESCROW_PLANTED_BUG"].map { [SwiftSetting.define($0)] } ?? []
let settings = commonSettings + plantedBugs

/// The simulation as a program instead of a test, for a folder of its own in which it is built with optimization and
/// `-enable-testing`: see `run`.
let isSimulationProgram = Context.environment["ESCROW_SIMULATION"] != nil

let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioTLS: Target.Dependency = .product(name: "NIOTLS", package: "swift-nio")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let nioEmbedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let deque: Target.Dependency = .product(name: "DequeModule", package: "swift-collections")
let heap: Target.Dependency = .product(name: "HeapModule", package: "swift-collections")
let histogram: Target.Dependency = .product(name: "Histogram", package: "hdrhistogram-swift")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let metrics: Target.Dependency = .product(name: "CoreMetrics", package: "swift-metrics")
let tracing: Target.Dependency = .product(name: "Tracing", package: "swift-distributed-tracing")
let metricsTestKit: Target.Dependency = .product(name: "MetricsTestKit", package: "swift-metrics")
let subprocess: Target.Dependency = .product(name: "Subprocess", package: "swift-subprocess")
let simulation: [Target.Dependency] = ["MQStore", "MQProtocol", "TestSupport", nioCore, logging]

let package = Package(
    name: "escrow",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "mqnamesrv", targets: ["NameServerTool"]),
        .executable(name: "mqbroker", targets: ["BrokerTool"]),
        .executable(name: "mqadmin", targets: ["AdminTool"]),
        .executable(name: "mqbench", targets: ["BenchTool"]),
        .executable(name: "escrow", targets: ["EscrowTool"]),
        .executable(name: "order-service", targets: ["OrderServiceTool"]),
        .executable(name: "inventory-service", targets: ["InventoryServiceTool"]),
        .executable(name: "registration-mail", targets: ["RegistrationMailTool"]),
        .executable(name: "escrowbench", targets: ["EscrowBenchTool"]),
        .executable(name: "escrow-faults", targets: ["FaultTool"]),
        .library(name: "MQClient", targets: ["MQClient"]),
        .library(name: "MQEmbedded", targets: ["MQEmbedded"]),
        .library(name: "Escrow", targets: ["Escrow", "MQClient", "MQEmbedded", "MQProtocol"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
    ],
    targets: [
        // The system's zlib: bodies compressed by producers, and CRC-32 where the next target has nothing faster.
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),

        // CRC-32 with an instruction that Swift does not have. Each message is checksummed twice or three times, and
        // zlib takes five times as long. A library that has it, libdeflate, would be one more package to install.
        .target(name: "CChecksum"),

        .target(name: "MQProtocol", dependencies: ["CZlib", "CChecksum", nioCore], swiftSettings: settings),
        .target(
            name: "MQStore",
            dependencies: ["MQProtocol", nioCore, logging, deque, heap],
            swiftSettings: settings
        ),
        .target(
            name: "MQRemoting",
            dependencies: ["MQProtocol", nioCore, nioPosix, nioTLS, nioSSL, logging, deque],
            swiftSettings: settings
        ),
        .target(
            name: "MQNameServer",
            dependencies: ["MQProtocol", "MQRemoting", nioCore, nioPosix, logging, lifecycle],
            swiftSettings: settings
        ),
        .target(
            name: "MQBroker",
            dependencies: [
                "MQProtocol", "MQStore", "MQRemoting", nioCore, nioPosix, logging, lifecycle, deque, heap,
            ],
            swiftSettings: settings
        ),
        .target(
            name: "MQClient",
            dependencies: ["MQProtocol", "MQRemoting", nioCore, nioPosix, logging, lifecycle, deque],
            swiftSettings: settings
        ),
        .target(
            name: "Schema",
            path: "schema",
            resources: [
                .embedInCode("identity.sql"), .embedInCode("fence.sql"), .embedInCode("outbox.sql"),
                .embedInCode("inbox.sql"), .embedInCode("deadline.sql"), .embedInCode("deadLetter.sql"),
                .embedInCode("service.sql"), .embedInCode("trace.sql"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "MQEmbedded",
            dependencies: [
                "MQNameServer", "MQBroker", "MQRemoting", "MQProtocol", nioCore, nioPosix, logging, lifecycle,
            ],
            swiftSettings: settings
        ),
        .target(
            name: "Escrow",
            dependencies: [
                "MQClient", "MQEmbedded", "MQProtocol", "Schema", grdb, nioCore, logging, lifecycle, deque, metrics,
                tracing,
            ],
            swiftSettings: settings
        ),

        .executableTarget(
            name: "NameServerTool",
            dependencies: [
                "MQNameServer", "MQProtocol", "MQRemoting", arguments, logging, lifecycle, signals, nioCore, nioPosix,
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "BrokerTool",
            dependencies: [
                "MQBroker", "MQStore", "MQProtocol", "MQRemoting", arguments, logging, lifecycle, signals, nioCore,
                nioPosix,
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "AdminTool",
            dependencies: ["MQClient", "MQProtocol", arguments, logging, nioCore, nioPosix],
            swiftSettings: settings
        ),
        // The lines of child processes, for the benchmark and for tests that start the servers.
        .target(name: "ProcessOutput", swiftSettings: settings),
        .executableTarget(
            name: "BenchTool",
            dependencies: [
                "MQClient", "MQProtocol", "MQRemoting", "MQStore", "ProcessOutput", arguments, logging, lifecycle,
                nioCore,
                nioPosix, histogram, subprocess,
            ],
            swiftSettings: settings
        ),

        // The samples: three services that talk through messages only, and the flow that runs and checks them together.
        .target(
            name: "ShopEvents", dependencies: ["Escrow", "MQProtocol", grdb], path: "Samples/ShopEvents",
            swiftSettings: settings
        ),
        .target(
            name: "OrderService",
            dependencies: ["Escrow", "ShopEvents", "MQProtocol", grdb, lifecycle],
            path: "Samples/OrderService",
            resources: [.embedInCode("orders.sql")],
            swiftSettings: settings
        ),
        .target(
            name: "InventoryService",
            dependencies: ["Escrow", "ShopEvents", "MQProtocol", grdb, lifecycle],
            path: "Samples/InventoryService",
            resources: [.embedInCode("inventory.sql")],
            swiftSettings: settings
        ),
        .target(
            name: "RegistrationMail",
            dependencies: ["Escrow", "ShopEvents", "MQProtocol", grdb, logging, lifecycle],
            path: "Samples/RegistrationMail",
            resources: [
                .embedInCode("registration.sql"), .embedInCode("registration-holder.sql"),
                .embedInCode("registration-failed.sql"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "ShopFlow",
            dependencies: [
                "OrderService", "InventoryService", "RegistrationMail", "ShopEvents", "Escrow", "MQEmbedded",
                "MQClient",
                "MQProtocol", grdb, nioCore, logging, lifecycle,
            ],
            path: "Samples/ShopFlow",
            resources: [.embedInCode("flow.sql"), .embedInCode("flow-half.sql")],
            swiftSettings: settings
        ),
        // What the samples' executables share.
        .target(
            name: "SampleTool",
            dependencies: ["Escrow", "ShopEvents", "MQClient", grdb, arguments, logging, lifecycle, signals],
            path: "Samples/SampleTool",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "OrderServiceTool", dependencies: ["OrderService", "ShopEvents", "SampleTool", "Escrow", arguments],
            path: "Samples/OrderServiceTool", swiftSettings: settings
        ),
        .executableTarget(
            name: "InventoryServiceTool", dependencies: ["InventoryService", "SampleTool", arguments],
            path: "Samples/InventoryServiceTool", swiftSettings: settings
        ),
        .executableTarget(
            name: "RegistrationMailTool", dependencies: ["RegistrationMail", "SampleTool", "Escrow", arguments],
            path: "Samples/RegistrationMailTool", swiftSettings: settings
        ),
        .executableTarget(
            name: "EscrowTool",
            dependencies: [
                "ShopFlow", "Escrow", "MQBroker", "MQStore", "MQClient", "MQProtocol", arguments, logging, lifecycle,
                signals,
            ],
            swiftSettings: settings
        ),

        .executableTarget(
            name: "EscrowBenchTool",
            dependencies: ["Escrow", "MQClient", "MQEmbedded", "MQProtocol", grdb, arguments, logging],
            swiftSettings: settings
        ),

        // What test targets share: the seed of random tests, the generator made from it, a certificate, kept log lines.
        .target(name: "TestSupport", dependencies: [logging], path: "Tests/TestSupport", swiftSettings: settings),
        .testTarget(
            name: "EscrowTests",
            dependencies: [
                "Escrow", "MQClient", "MQEmbedded", "MQRemoting", "MQProtocol", "Schema", "TestSupport", grdb, nioCore,
                nioPosix, logging, metrics, metricsTestKit, tracing,
            ],
            swiftSettings: settings
        ),
        // A service that ends itself at a given step, for the crash tests.
        .executableTarget(
            name: "CrashService",
            dependencies: ["Escrow", "MQClient", "MQProtocol", grdb, logging],
            path: "Tests/CrashService",
            swiftSettings: settings
        ),
        .testTarget(
            name: "EscrowCrashTests",
            dependencies: ["CrashService", "MQEmbedded", "ProcessOutput", "ProcessSupport", grdb],
            swiftSettings: settings
        ),
        .testTarget(
            name: "MQProtocolTests", dependencies: ["MQProtocol", "TestSupport", nioCore], swiftSettings: settings),
        .testTarget(
            name: "MQStoreTests", dependencies: ["MQStore", "MQProtocol", "TestSupport", nioCore, logging],
            swiftSettings: settings
        ),
        // The store on a simulated disk, against a model of what may be lost.
        isSimulationProgram
            ? .executableTarget(
                name: "escrow-simulation", dependencies: simulation, path: "Tests/SimulationTests",
                exclude: ["SimulationTests.swift"], swiftSettings: settings
            )
            : .testTarget(
                name: "SimulationTests", dependencies: simulation, exclude: ["main.swift"], swiftSettings: settings
            ),
        .testTarget(
            name: "MQRemotingTests",
            dependencies: ["MQRemoting", "MQProtocol", "TestSupport", nioCore, nioPosix, nioEmbedded, logging],
            swiftSettings: settings
        ),
        .testTarget(
            name: "MQNameServerTests",
            dependencies: ["MQNameServer", "MQRemoting", "MQProtocol", "TestSupport", nioCore, nioPosix, logging],
            swiftSettings: settings
        ),
        .testTarget(
            name: "MQBrokerTests",
            dependencies: [
                "MQBroker", "MQClient", "MQNameServer", "MQStore", "MQRemoting", "MQProtocol", "TestSupport", nioCore,
                nioPosix, logging,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "MQClientTests",
            dependencies: [
                "MQClient", "MQBroker", "MQNameServer", "MQRemoting", "MQProtocol", "TestSupport", nioCore, nioPosix,
                logging, lifecycle,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "MQEmbeddedTests",
            dependencies: [
                "MQEmbedded", "MQBroker", "MQClient", "MQStore", "MQProtocol", nioCore, nioPosix, logging, lifecycle,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "InteropTests",
            dependencies: [
                "MQClient", "MQRemoting", "MQProtocol", "ProcessSupport", nioCore, nioPosix, logging, subprocess,
            ],
            exclude: ["Drivers"],
            swiftSettings: settings
        ),
        // Starts and stops the executables for the test targets that treat them as separate processes.
        .target(
            name: "ProcessSupport",
            dependencies: ["ProcessOutput", nioCore, nioPosix, subprocess],
            path: "Tests/ProcessSupport",
            swiftSettings: settings
        ),
        .testTarget(
            name: "ProcessTests",
            dependencies: [
                "ProcessOutput", "ProcessSupport", "TestSupport", "MQRemoting", "MQProtocol", nioCore, nioPosix,
                logging,
            ],
            swiftSettings: settings
        ),
        // The fault laboratory: brokers on disks that fail, and the check of everything they acknowledged.
        .target(
            name: "Faults",
            dependencies: [
                "MQClient", "MQNameServer", "MQRemoting", "MQStore", "MQProtocol", "ProcessSupport", "ProcessOutput",
                "TestSupport", nioCore, nioPosix, logging,
            ],
            path: "Tests/Faults",
            // Compiled when it is needed, by the machine's C compiler: it is loaded into brokers, not into this.
            exclude: ["Preload", "RESULTS.md"],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "FaultTool", dependencies: ["Faults", arguments], path: "Tests/FaultTool", swiftSettings: settings
        ),
        .testTarget(
            name: "FaultsTests", dependencies: ["Faults", "TestSupport", "MQProtocol", nioCore], swiftSettings: settings
        ),
        .testTarget(name: "FaultsLiveTests", dependencies: ["Faults", "TestSupport"], swiftSettings: settings),
        .testTarget(
            name: "SamplesTests",
            dependencies: [
                "ShopFlow", "OrderService", "InventoryService", "RegistrationMail", "ShopEvents", "Escrow",
                "RegistrationMailTool", "MQEmbedded", "MQClient", "MQStore", "MQProtocol", "TestSupport",
                "ProcessOutput", "ProcessSupport", grdb, nioCore,
                logging,
            ],
            swiftSettings: settings
        ),
        .testTarget(name: "HouseTests", swiftSettings: settings),
    ]
)
