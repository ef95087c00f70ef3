import MQClient
import Testing

@Suite struct NameServerAddressesTests {
    @Test(
        "Lists are read as RocketMQ writes them",
        arguments: [
            ("127.0.0.1:9876", ["127.0.0.1:9876"]),
            ("a:1;b:2", ["a:1", "b:2"]),
            (" a:1 ; b:2 ;", ["a:1", "b:2"]),
            ("a:1,b:2", ["a:1", "b:2"]),
            ("a:1;a:1", ["a:1"]),
            ("http://a:1", ["a:1"]),
            ("localhost", ["localhost:9876"]),
            ("[::1]:9876", ["[::1]:9876"]),
        ])
    func reads(text: String, expected: [String]) throws {
        #expect(try NameServerAddresses(text).addresses == expected)
    }

    @Test("A list without an address says what one looks like", arguments: ["", ";", " ; "])
    func empty(text: String) {
        let error = #expect(throws: MQClientError.self) { try NameServerAddresses(text) }
        #expect(error?.code == .noNameServer)
        #expect(error?.message.contains("host:port") == true)
    }

    @Test("What is no address is named", arguments: ["a:b", "a:70000", ":9876", "a:", "a b:1"])
    func invalid(text: String) {
        let error = #expect(throws: MQClientError.self) { try NameServerAddresses("ok:1;\(text)") }
        #expect(error?.code == .invalidAddress)
        #expect(error?.message.contains(text) == true)
    }

    @Test func descriptionIsReadBack() throws {
        let addresses = try NameServerAddresses("a:1,b:2")
        #expect(addresses.description == "a:1;b:2")
        #expect(try NameServerAddresses(addresses.description) == addresses)
    }
}
