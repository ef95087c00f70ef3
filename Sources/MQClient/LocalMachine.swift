import MQProtocol
import NIOCore

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// What unique ids say about where they were made.
enum LocalMachine {
    static let processID = getpid()

    /// The first IPv4 address that other machines could know this one by; loopback when there is none.
    static let address: HostAddress.IP = {
        let devices = (try? System.enumerateDevices()) ?? []
        let addresses = devices.compactMap { $0.address.flatMap(HostAddress.init) }
        let usable = addresses.first { address in
            guard case .v4(let bits) = address.ip else { return false }
            return bits >> 24 != 127
        }
        return usable?.ip ?? .v4(0x7F00_0001)
    }()

    /// Differs with every call.
    static func uniqueClientID() -> String {
        "\(address)@\(processID)#\(NIODeadline.now().uptimeNanoseconds)"
    }
}
