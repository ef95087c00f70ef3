import Foundation

/// One line of a driver.
struct DriverEvent: Decodable, Sendable {
    var event: String
    var topic: String?
    var body: String?
    var tags: String?
    var keys: String?
    var queue: Int32?
    var offset: Int64?
    var order: Int?
    var attempt: Int?
    var refused: Bool?
    var reconsumed: Int?
    /// Milliseconds of the driver's clock.
    var seen: Int64?
    var born: Int64?
    var stored: Int64?
    var id: String?
    var count: Int?
    var reason: String?
    var detail: String?
}

/// A running driver: the native client doing one thing.
struct Driver: Sendable {
    let process: ChildProcess
    private let log: EventLog<DriverEvent>

    /// Runs a driver beside `body`. Its logs and local offsets are kept in a folder of its own.
    static func with<Value: Sendable>(
        _ script: String, cluster: Cluster, arguments: [String], _ body: @Sendable (Driver) async throws -> Value
    ) async throws -> Value {
        let folder = try await NativeClient.pythonFolder()
        let home = "\(cluster.directory)/home-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
        let path = Places.drivers.appendingPathComponent(script).path
        let all = ["-u", path, "--namesrv", cluster.nameServer, "--deadline", "90"] + arguments
        let environment = ["HOME": home, "PYTHONDONTWRITEBYTECODE": "1"]
        let log = EventLog<DriverEvent>()
        let observe: @Sendable (String?) -> Void = { line in
            guard let line else { return log.finish() }
            guard let event = try? JSONDecoder().decode(DriverEvent.self, from: Data(line.utf8)) else { return }
            log.append(event)
        }
        return try await ChildProcess.with(
            "python", folder: folder, arguments: all, environment: environment, observe: observe
        ) { process in
            try await body(Driver(process: process, log: log))
        }
    }

    var messages: [DriverEvent] {
        log.elements.filter { $0.event == "message" }
    }

    /// Bodies that the broker acknowledged.
    var acknowledged: Set<String> {
        Set(log.elements.filter { $0.event == "acked" }.compactMap(\.body))
    }

    func ready() async throws {
        try await wait(for: 1, of: "ready")
    }

    /// Waits until the driver has ended by itself, having counted all it expected.
    func done() async throws {
        try await wait(for: 1, of: "done")
    }

    func wait(for count: Int, of event: String) async throws {
        let condition = Occurrences<DriverEvent>(left: count) { $0.event == event }
        try await wait("\(count) x \(event)", for: condition)
    }

    /// Waits until messages with all these bodies were reported.
    func wait(forBodies bodies: Set<String>) async throws {
        try await wait("\(bodies.count) bodies", for: Bodies(missing: bodies))
    }

    private func wait(_ what: String, for condition: some Condition<DriverEvent>) async throws {
        guard await log.wait(for: condition) else {
            throw InteropError("The driver ended before it reported \(what):\n\(process.tail)")
        }
    }
}

/// Every one of these bodies.
private struct Bodies: Condition {
    var missing: Set<String>

    mutating func take(_ event: DriverEvent) -> Bool {
        if event.event == "message", let body = event.body { missing.remove(body) }
        return missing.isEmpty
    }
}
