/// Something that makes a run pointless to go on: a fault of the laboratory, not of the broker.
package struct FaultError: Error, CustomStringConvertible {
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}
