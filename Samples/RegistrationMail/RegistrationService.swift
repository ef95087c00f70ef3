public import Escrow
import Foundation
public import GRDB
import MQProtocol
public import ServiceLifecycle
public import ShopEvents

/// Registers users, and sends each of them a welcome by mail and by short message.
///
/// Registering is one transaction with its message. The consumer of the message plans the welcomes in its own
/// transaction; they are performed after it, and the ledger `effect` says what is known of each.
public struct RegistrationService: Service {
    /// Of the service, in the names of its groups.
    public static let name = "registration"

    public static let subscriptions: Set<Subscription> = [
        Subscription("welcome", UserRegistered.topic, [UserRegistered.name])
    ]

    /// How welcomes leave.
    public struct Settings: Sendable {
        /// Where mails and short messages are written.
        public var outbox: OutboxFolder
        /// Takes the mails from the folder. Default: none, they stay there.
        public var command: MailCommand?
        /// Default: `shop@localhost`.
        public var sender = "shop@localhost"
        /// Default: at least once. A second welcome hurts nobody.
        public var mailPolicy = EffectPolicy.atLeastOnce
        /// Default: at most once. Short messages cost money.
        public var smsPolicy = EffectPolicy.atMostOnce

        public init(outbox: OutboxFolder) {
            self.outbox = outbox
        }
    }

    public let escrow: Escrow
    private let runner: EffectRunner
    private let alarm = Alarm()

    public init(
        _ database: any DatabaseWriter, configuration: EscrowConfiguration, settings: Settings
    ) throws {
        escrow = try Escrow(Self.name, database: database, configuration: configuration)
        runner = EffectRunner(
            database: database, performers: Self.performers(settings, configuration.time),
            policies: [.mail: settings.mailPolicy, .sms: settings.smsPolicy], time: configuration.time,
            logger: configuration.logger, alarm: alarm)
        let alarm = alarm
        try escrow.on(UserRegistered.self, as: "welcome") { event, tx in
            try tx.record(event, by: "welcome")
            try EffectTable.plan(tx.database, .mail, for: event.address, now: tx.now)
            if event.phone != nil { try EffectTable.plan(tx.database, .sms, for: event.address, now: tx.now) }
            tx.database.afterNextTransaction { _ in alarm.ring() }
            return .done
        }
    }

    public func run() async throws {
        try await withThrowingTaskGroup { tasks in
            tasks.addTask { try await escrow.run() }
            tasks.addTask { try await runner.run() }
            try await tasks.waitForAll()
        }
    }

    /// Registers a user. Registering twice with the same address is one registration, of the first name.
    ///
    /// - Throws: ``RegistrationError``; errors of ``Escrow/transaction(publishing:idempotencyKey:kind:_:)``.
    @discardableResult
    public func register(
        _ address: String, name: String, phone: String? = nil
    ) async throws -> TransactionResult<Bool> {
        guard Mail.isAddress(address) else {
            throw RegistrationError(
                .invalidAddress, "\"\(address.prefix(60))\" is no mail address that can be written to.")
        }
        guard (1...200).contains(name.utf8.count) else {
            throw RegistrationError(.invalidName, "A name has 1 to 200 bytes.")
        }
        let event = UserRegistered(address: address, name: name, phone: phone)
        return try await escrow.transaction(publishing: [event], idempotencyKey: "\(address)", kind: "register") { tx in
            // The key of a call is not kept for ever, the account is.
            try tx.database.cachedStatement(
                sql: """
                    INSERT INTO account (address, name, phone, registered) VALUES (?, ?, ?, ?)
                    ON CONFLICT (address) DO NOTHING
                    """
            ).execute(arguments: [address, name, phone, tx.now.milliseconds])
            return true
        }
    }

    // MARK: Welcomes

    private static func performers(
        _ settings: Settings, _ time: TimeSource
    ) -> [Effect.Kind: EffectPerformer] {
        [
            .mail: { effect in
                let text = Mail.welcome(effect, from: settings.sender, date: date(time))
                let file = settings.outbox.file(effect.id, ending: "eml")
                let written = settings.outbox.write(text, to: file)
                guard written == .sent, let command = settings.command else { return written }
                return await command.send(file, time: time)
            },
            .sms: { effect in
                let text = "To: \(effect.phone ?? "")\r\n\r\nWelcome, \(effect.name)!\r\n"
                return settings.outbox.write(text, to: settings.outbox.file(effect.id, ending: "sms.txt"))
            },
        ]
    }

    private static func date(_ time: TimeSource) -> String {
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.timeZone = TimeZone(secondsFromGMT: 0)
        format.dateFormat = "EEE, d MMM yyyy HH:mm:ss Z"
        return format.string(from: Date(timeIntervalSince1970: Double(time.now().milliseconds) / 1000))
    }
}
