import Escrow
import MQBroker
import MQClient
import MQStore
import ShopFlow

/// The work failed, and its report has said why.
struct WorkFailed: Error {
    var message = ""
}

/// A store has damage, and the report has said which.
struct StoreDamaged: Error {}

/// Why the tool ends: the exit status, and one line with the cause and what to do.
struct Failure {
    let status: Int32
    let message: String

    init(_ error: any Error) {
        switch error {
        case let error as WorkFailed: (status, message) = (1, error.message)
        case let error as FlowError: (status, message) = (Self.status(error.code), error.message)
        case let error as EscrowError: (status, message) = (Self.status(error.code), error.message)
        case let error as MQClientError:
            let isSettings = error.code == .invalidAddress || error.code == .noNameServer
            (status, message) = (isSettings ? 2 : 1, error.message)
        case let error as StoreError: (status, message) = (Self.status(error.code), error.message)
        case let error as ConfigurationError: (status, message) = (64, error.message)
        case is StoreDamaged: (status, message) = (67, "")
        case is CancellationError:
            (status, message) = (1, "interrupted")
        default: (status, message) = (1, "\(error)")
        }
    }

    private static func status(_ code: FlowError.Code) -> Int32 {
        switch code {
        case .unusableFile: 2
        case .unusableStore, .storeMismatch, .topicsMissing: 64
        case .storeLocked: 66
        case .storeFull: 68
        case .storeFailed: 69
        default: 1
        }
    }

    private static func status(_ code: StoreError.Code) -> Int32 {
        switch code {
        case .notFound: 2
        case .configuration: 64
        case .locked: 66
        case .corrupt: 67
        case .diskFull: 68
        default: 69
        }
    }

    private static func status(_ code: EscrowError.Code) -> Int32 {
        switch code {
        case .invalidConfiguration, .invalidName, .databaseUnsuitable, .foreignMember: 64
        case .databaseFull: 68
        case .databaseFailed: 69
        default: 1
        }
    }
}
