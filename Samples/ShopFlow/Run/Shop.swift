import Escrow
import InventoryService
import Logging
import MQClient
import MQProtocol
import OrderService
import RegistrationMail

/// The three services on one broker, each with its own database and its own connection.
struct Shop: Sendable {
    let orders: Hosted<OrderService>
    let inventory: Hosted<InventoryService>
    let registration: Hosted<RegistrationService>
    let decisions: Decisions

    init(
        _ store: Store, nameServers: NameServerAddresses, paymentTimeout: Duration, chaos: Chaos?, logger: Logger
    ) throws {
        var configuration = EscrowConfiguration.cluster(nameServers: nameServers)
        configuration.namespace = store.settings.namespace
        configuration.logger = logger
        chaos?.apply(to: &configuration)
        let settings = configuration
        let decisions = Decisions()
        self.decisions = decisions
        orders = try Hosted {
            try OrderService(
                store.orders, configuration: settings, paymentTimeout: paymentTimeout,
                onChange: { decisions.changed($0) })
        }
        inventory = try Hosted { try InventoryService(store.inventory, configuration: settings) }
        let outbox = try OutboxFolder(store.outboxDirectory)
        registration = try Hosted {
            try RegistrationService(
                store.registration, configuration: settings, settings: RegistrationService.Settings(outbox: outbox))
        }
    }

    /// Runs until the task is cancelled.
    func run() async throws {
        try await withThrowingTaskGroup { tasks in
            tasks.addTask { try await orders.run() }
            tasks.addTask { try await inventory.run() }
            tasks.addTask { try await registration.run() }
            try await tasks.waitForAll()
        }
    }

    /// Stops all services without drain; they begin again at once.
    func interrupt() {
        orders.interrupt()
        inventory.interrupt()
        registration.interrupt()
    }
}
