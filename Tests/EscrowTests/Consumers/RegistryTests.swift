import MQClient
import Testing

@testable import Escrow

/// What can be registered: all that can run, and nothing else.
@Suite struct RegistryTests {
    private func registry(_ service: String = "shop", namespace: String? = nil) -> Registry {
        Registry(ServiceNames(service: service, namespace: Namespace(namespace)))
    }

    private func handler(_ tag: String = "Placed", topic: String = "orders") -> EventHandler {
        EventHandler(
            tag: tag, topic: topic, policy: .standard,
            prepare: { _ in PreparedEvent(idempotencyKey: "k", orderingKey: nil, run: { _ in .done }) })
    }

    private func refusal(_ registry: Registry, _ body: (inout Registry) throws(EscrowError) -> Void) -> EscrowError? {
        var registry = registry
        do {
            try body(&registry)
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: ["deadlines", "transactions", "outbox"])
    func namesOfTheFrameworksOwnGroupsAreRefused(_ name: String) {
        let error = refusal(registry()) { registry throws(EscrowError) in try registry.add(handler(), to: name) }
        #expect(error?.code == .invalidName)
        #expect(error?.message.contains("belongs to Escrow") == true)
    }

    /// `a-b` with `c`, and `a` with `b-c`.
    @Test func noTwoServicesShareAGroup() {
        let first = ServiceNames(service: "a-b", namespace: Namespace(nil)).group(of: "c")
        let second = ServiceNames(service: "a", namespace: Namespace(nil)).group(of: "b-c")
        #expect(first != second)
    }

    @Test func aGroupThatIsTooLongIsRefusedAtOnce() throws {
        let long = String(repeating: "x", count: 55)
        #expect(refusal(registry(long)) { r throws(EscrowError) in try r.add(handler(), to: long) } == nil)
        let error = refusal(registry(long, namespace: "production")) { r throws(EscrowError) in
            try r.add(handler(), to: long)
        }
        #expect(error?.code == .invalidName)
        #expect(error?.message.contains("has 122 characters, more than 120") == true, "\(error?.message ?? "")")
        // What is accepted here is accepted when it runs.
        let group = ServiceNames(service: long, namespace: Namespace("product-")).group(of: long)
        #expect(group.utf8.count == 120)
        let client = MQClient(MQClientConfiguration(nameServers: try NameServerAddresses("127.0.0.1:1")))
        var configuration = ConsumerConfiguration(group: group)
        configuration.subscriptions = ["orders": "*"]
        _ = try PushConsumer(client, configuration, handler: { messages, _ in messages.map { _ in .consumed } })
    }

    @Test func topicsThatCannotBeAreRefusedAtOnce() {
        let policy = DeadlineHandler(policy: .standard, run: { _, _ in .done })
        let long = String(repeating: "n", count: 60)
        let deadlines = refusal(registry(String(repeating: "s", count: 60), namespace: long)) { r throws(EscrowError) in
            try r.add(policy, named: "payment")
        }
        #expect(deadlines?.code == .invalidName)
        let topic = refusal(registry()) { r throws(EscrowError) in try r.add(handler(topic: "a b"), to: "stock") }
        #expect(topic?.code == .invalidName)
    }

    @Test(arguments: ["", "*", "a||b", " a", "a ", "a\u{1}"])
    func namesOfEventsThatNoConsumerCanAskForAreRefused(_ tag: String) {
        let error = refusal(registry()) { r throws(EscrowError) in try r.add(handler(tag), to: "stock") }
        #expect(error?.code == .invalidName)
    }

    @Test func everythingIsRegisteredOnceAndBeforeTheStart() throws {
        var registry = registry()
        #expect(throws: Never.self) { try registry.add(handler(), to: "stock") }
        #expect(throws: Never.self) { try registry.add(handler("Paid"), to: "stock") }
        let twice = refusal(registry) { r throws(EscrowError) in try r.add(handler(), to: "stock") }
        #expect(twice?.code == .registeredTwice)
        let own = refusal(registry) { r throws(EscrowError) in try r.add({ _ in .unknown }, for: "fenced") }
        #expect(own?.code == .invalidName)
        try registry.close()
        let late = refusal(registry) { r throws(EscrowError) in try r.add(handler(), to: "other") }
        #expect(late?.code == .registeredTooLate)
    }
}
