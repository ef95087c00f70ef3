import Foundation
import MQBroker
import NIOCore
import NIOPosix

/// How this machine is known to others.
enum MachineAddresses {
    /// Addresses that are not loopback or link-local: IPv4 first, as RocketMQ prefers them.
    static func reachable() -> [String] {
        let addresses = ((try? System.enumerateDevices()) ?? []).compactMap { $0.address?.ipAddress }
        let usable = addresses.filter { address in
            !BrokerConfiguration.Network.isLoopback(address) && !address.hasPrefix("169.254.")
                && !address.lowercased().hasPrefix("fe80:")
        }
        return usable.filter { !$0.contains(":") } + usable.filter { $0.contains(":") }
    }

    /// The host's name, in the characters that a topic may have: one of the broker's topics bears it.
    static var brokerName: String {
        let name = ProcessInfo.processInfo.hostName.map { character -> Character in
            character.isASCII && (character.isLetter || character.isNumber || character == "-") ? character : "_"
        }
        return name.isEmpty ? "DEFAULT_BROKER" : String(name)
    }
}
