/// A topic's settings at one broker.
public struct TopicConfiguration: Sendable, Hashable {
    public var name: String
    /// Default: 8.
    public var readQueues: Int32
    /// Default: 8.
    public var writeQueues: Int32
    /// Default: read and write.
    public var permission: TopicPermission
    /// Bit 0: unit topic. Bit 1: has a unit subscription. Default: 0.
    public var systemFlag: Int32
    /// Default: false.
    public var isOrdered: Bool

    public init(
        name: String,
        readQueues: Int32 = 8,
        writeQueues: Int32 = 8,
        permission: TopicPermission = [.read, .write],
        systemFlag: Int32 = 0,
        isOrdered: Bool = false
    ) {
        self.name = name
        self.readQueues = readQueues
        self.writeQueues = writeQueues
        self.permission = permission
        self.systemFlag = systemFlag
        self.isOrdered = isOrdered
    }
}
