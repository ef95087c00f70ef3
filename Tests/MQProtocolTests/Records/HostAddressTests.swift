import NIOCore
import TestSupport
import Testing

@testable import MQProtocol

@Suite struct HostAddressTests {
    @Test(arguments: [
        ("127.0.0.1:10911", "127.0.0.1:10911"), ("/10.1.2.3:80", "10.1.2.3:80"), ("[::1]:9876", "[::1]:9876"),
        ("0:0:0:0:0:0:0:1:20911", "[::1]:20911"), ("[fd00::2]:1", "[fd00::2]:1"),
        ("[::ffff:10.1.2.3]:5", "10.1.2.3:5"), ("[2001:db8:0:0:1:0:0:1]:0", "[2001:db8::1:0:0:1]:0"),
        ("[1:2:3:4:5:6:7:8]:65535", "[1:2:3:4:5:6:7:8]:65535"), ("[1::]:1", "[1::]:1"), ("[::]:1", "[::]:1"),
        ("[::2:3:4:5:6:7:8]:1", "[0:2:3:4:5:6:7:8]:1"), ("[FE80::ABCD]:1", "[fe80::abcd]:1"),
    ])
    func readsAndPrints(text: String, printed: String) {
        #expect(HostAddress(text)?.description == printed)
    }

    @Test(arguments: [
        "", "127.0.0.1", ":1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "1.2.3:4", "1.2.3.4.5:6", "256.1.1.1:1",
        "1.2.3.+4:1", "a.b.c.d:1", "localhost:1", "[127.0.0.1]:1", "[::1:1", "[1:2]:3", "[1::2::3]:4", "[:::]:1",
        "[1:2:3:4:5:6:7:8:9]:1", "[12345::]:1", "[::g]:1", "[1:2:3:4:5:6:7::8]:1x", "1..2.3:4", "[:1:2:3:4:5:6:7]:1",
    ])
    func refuses(text: String) {
        #expect(HostAddress(text) == nil)
    }

    @Test func printsAndReadsAnyAddress() throws {
        var random = SeededGenerator()
        for _ in 0..<5000 {
            let sparse = random.next() & random.next() & 0xFFFF_0000_FFFF_FFFF
            let ip: HostAddress.IP =
                Bool.random(using: &random)
                ? .v4(UInt32(truncatingIfNeeded: random.next()))
                : .v6(sparse | 1 << 61, random.next() & random.next() & 0xFFFF)
            let address = HostAddress(ip: ip, port: Int32.random(in: 0...65_535, using: &random))
            #expect(HostAddress(address.description) == address)
            let socket = try SocketAddress(ipAddress: address.host, port: Int(address.port))
            #expect(HostAddress(socket) == address)
        }
    }

    @Test func aUnixSocketHasNone() throws {
        #expect(HostAddress(try SocketAddress(unixDomainSocketPath: "/tmp/x")) == nil)
    }
}
