import Synchronization

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// A thread for work that blocks on the disk and therefore has no place on an event loop or the cooperative pool.
package final class StoreThread: @unchecked Sendable {
    private let name: String
    /// Given away when it runs: it names its owner, who keeps this object.
    private let body: Mutex<(@Sendable () -> Void)?>
    private let handle = Mutex<pthread_t?>(nil)

    /// - Parameter name: shown by system tools; at most 15 bytes are kept.
    package init(name: String, _ body: @escaping @Sendable () -> Void) {
        self.name = String(decoding: name.utf8.prefix(15), as: UTF8.self)
        self.body = Mutex(body)
    }

    /// Starts the thread; it keeps this object alive until its body returns.
    package func start() throws(StoreError) {
        let number = handle.withLock { handle in
            precondition(handle == nil, "a thread starts once")
            let context = unsafe Unmanaged.passRetained(self)
            #if canImport(Darwin)
            var thread: pthread_t?
            let number = unsafe pthread_create(&thread, nil, { unsafe StoreThread.enter($0) }, context.toOpaque())
            #else
            var thread = pthread_t()
            let number = unsafe pthread_create(&thread, nil, { unsafe StoreThread.enter($0) }, context.toOpaque())
            #endif
            if number == 0 { handle = thread } else { unsafe context.release() }
            return number
        }
        guard number == 0 else { throw .system(number, "start the thread", name) }
    }

    /// Waits for the end of the body. Does nothing for a thread that was not started or is already joined.
    package func join() {
        let thread = handle.withLock { handle in
            defer { handle = nil }
            return handle
        }
        guard let thread = thread else { return }
        #if canImport(Darwin)
        unsafe _ = pthread_join(thread, nil)
        #else
        pthread_join(thread, nil)
        #endif
    }

    private static func enter(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        guard let context = unsafe context else { return nil }
        let thread = unsafe Unmanaged<StoreThread>.fromOpaque(context).takeRetainedValue()
        #if canImport(Darwin)
        pthread_setname_np(thread.name)
        #else
        thread.showName()
        #endif
        thread.takeBody()?()
        return nil
    }

    #if !canImport(Darwin)
    /// By the system's file: Swift does not see glibc's `pthread_setname_np`. The file takes a plain `write` only; with
    /// a position (`pwrite`) it answers ESPIPE. A thread without a name works as well.
    private func showName() {
        let descriptor = unsafe open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        unsafe name.utf8.span.withUnsafeBufferPointer { unsafe _ = write(descriptor, $0.baseAddress, $0.count) }
    }
    #endif

    private func takeBody() -> (@Sendable () -> Void)? {
        body.withLock { body in
            defer { body = nil }
            return body
        }
    }
}
