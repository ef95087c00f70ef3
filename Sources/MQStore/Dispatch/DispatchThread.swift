import Synchronization

/// The thread that runs the dispatcher: it sleeps until it is woken, and only then looks.
final class DispatchThread: Sendable {
    private let dispatcher: Dispatcher
    private let wakeup = Wakeup()
    private let isStopping = Atomic<Bool>(false)
    private let thread = Mutex<StoreThread?>(nil)

    init(_ dispatcher: Dispatcher) { self.dispatcher = dispatcher }

    func start() throws(StoreError) {
        let thread = StoreThread(name: "mq-dispatch") { [self] in
            while !isStopping.load(ordering: .acquiring) {
                if !dispatcher.step() { wakeup.wait() }
            }
        }
        try thread.start()
        self.thread.withLock { $0 = thread }
    }

    /// One atomic operation while the thread is busy.
    func wake() { wakeup.signal() }

    /// Ends after the round in progress and joins the thread.
    func stop() {
        isStopping.store(true, ordering: .releasing)
        wakeup.signal()
        thread.withLock { $0 }?.join()
    }
}
