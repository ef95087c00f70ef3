import MQBroker
import MQRemoting
import MQStore

/// Why the broker did not start or stopped: the exit status, and one line with the cause and what to do.
struct Failure: CustomStringConvertible {
    let status: Int32
    let description: String

    init(_ error: any Error) {
        switch error {
        case let error as ConfigurationError: (status, description) = (64, error.message)
        case let error as StoreError: (status, description) = Self.store(error)
        case let error as RemotingError: (status, description) = Self.network(error)
        default: (status, description) = (1, "\(error)")
        }
    }

    private static func store(_ error: StoreError) -> (Int32, String) {
        switch error.code {
        case .configuration: (64, error.message)
        case .locked: (66, "Lock failed,MQ already started: \(error.message)")
        case .corrupt: (67, error.message)
        case .diskFull: (68, "\(error.message). Free space, or name another directory with --store.")
        default: (69, error.message)
        }
    }

    private static func network(_ error: RemotingError) -> (Int32, String) {
        switch error.code {
        case .portInUse:
            (65, "\(error.message). The broker needs listenPort and listenPort - 2.")
        case .configuration, .tls, .bindFailed, .addressInvalid: (64, error.message)
        default: (69, error.message)
        }
    }
}
