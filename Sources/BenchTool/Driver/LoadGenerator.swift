import NIOCore
import NIOPosix

/// How long a run lasts.
enum RunLength: Sendable {
    /// Warm up, then measure.
    case seconds(warmUp: Double, measured: Double)
    /// Until the workload has nothing left to do, measured from the first request.
    case toTheEnd
}

/// Runs workloads from one event loop of its own.
struct LoadGenerator: Sendable {
    let eventLoop: any EventLoop

    /// Runs one workload.
    ///
    /// - Parameters:
    ///   - connections: each gets its own workload, made on the event loop.
    ///   - inFlight: operations under way on each connection.
    ///   - sample: called when measuring begins and when it ends.
    func run<Work: Workload>(
        port: Int,
        connections: Int,
        inFlight: Int,
        length: RunLength,
        sample: @Sendable () -> Void = {},
        makeWork: @escaping @Sendable (_ connection: Int) -> Work
    ) async throws -> Measurement {
        let drained = eventLoop.makePromise(of: Void.self)
        let meter = try await eventLoop.submit { [eventLoop] in
            NIOLoopBound(Meter(connections: connections, drained: drained), eventLoop: eventLoop)
        }.get()
        if case .toTheEnd = length {
            sample()
            try await onLoop(meter) { $0.beginMeasuring(at: Moment.now().nanoseconds) }
        }
        var channels: [any Channel] = []
        for connection in 0..<connections {
            channels.append(
                try await connect(port: port) {
                    LoadHandler(work: makeWork(connection), meter: meter.value, slots: inFlight)
                }
            )
        }
        if case .seconds(let warmUp, let measured) = length {
            try await Task.sleep(for: .seconds(warmUp))
            sample()
            try await onLoop(meter) { if $0.phase == .warmingUp { $0.beginMeasuring(at: Moment.now().nanoseconds) } }
            try await Task.sleep(for: .seconds(measured))
            try await onLoop(meter) { $0.stop(at: Moment.now().nanoseconds) }
            sample()
        }
        try await drained.futureResult.get()
        if case .toTheEnd = length { sample() }
        for channel in channels {
            try? await channel.close().get()
        }
        return try await eventLoop.submit {
            if let refusal = meter.value.firstRefusal { throw DriverError.refused(refusal) }
            return meter.value.measurement()
        }.get()
    }

    private func onLoop(_ meter: NIOLoopBound<Meter>, _ body: @escaping @Sendable (Meter) -> Void) async throws {
        try await eventLoop.submit { body(meter.value) }.get()
    }

    private func connect<Work: Workload>(
        port: Int, makeHandler: @escaping @Sendable () -> LoadHandler<Work>
    ) async throws -> any Channel {
        try await ClientBootstrap(group: eventLoop)
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
            .channelOption(
                .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 4096, initial: 65536, maximum: 1 << 20)
            )
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(makeHandler())
                }
            }
            .connect(host: "127.0.0.1", port: port)
            .get()
    }
}
