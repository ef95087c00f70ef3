package import NIOCore

/// The body of a broker's registration (103).
package struct RegisterBrokerBody: JSONBody, Hashable {
    package var topics: TopicConfigTable
    package var filterServers: [String]

    package init(topics: TopicConfigTable, filterServers: [String] = []) {
        self.topics = topics
        self.filterServers = filterServers
    }

    package init(dataVersion: DataVersion, topics: some Sequence<TopicConfig>) {
        self.init(topics: TopicConfigTable(dataVersion: dataVersion, topics: topics))
    }

    package init(json: JSONValue) throws(BodyError) {
        topics = try TopicConfigTable(json: json["topicConfigSerializeWrapper"] ?? [:])
        filterServers = json.texts("filterServerList")
    }

    package var json: JSONValue {
        [
            "filterServerList": .array(filterServers.map(JSONValue.string)),
            "topicConfigSerializeWrapper": topics.json,
        ]
    }

    /// Reads the form that the sender's release and header say.
    package static func decode(
        _ buffer: ByteBuffer, compressed: Bool, version: Int32
    ) throws(BodyError) -> RegisterBrokerBody {
        if version < ProtocolVersion.registerBrokerBody {
            return RegisterBrokerBody(topics: try TopicConfigTable.decode(buffer))
        }
        return compressed ? try decodeCompressed(buffer) : try decode(buffer)
    }
}

// MARK: - Compressed form

extension RegisterBrokerBody {
    /// The most a compressed registration may inflate to: some 300,000 topics.
    static let inflatedLimit = 64 << 20
    static let maximumTopics: Int32 = 400_000

    package func encodeCompressed() -> ByteBuffer {
        var plain = ByteBuffer()
        plain.writeSized(topics.dataVersion.encode())
        plain.writeInteger(Int32(clamping: topics.topicConfigTable.count))
        for config in topics.topicConfigTable.values.sorted(by: { $0.topicName < $1.topicName }) {
            let line = [
                config.topicName, "\(config.readQueueNums)", "\(config.writeQueueNums)", "\(config.perm)",
                config.topicFilterType.rawValue,
            ]
            plain.writeSized(ByteBuffer(string: line.joined(separator: " ")))
        }
        plain.writeSized(JSONWriter.compact(.array(filterServers.map(JSONValue.string))))
        return Zlib.deflate(plain, level: 9)
    }

    private static func decodeCompressed(_ buffer: ByteBuffer) throws(BodyError) -> RegisterBrokerBody {
        var plain: ByteBuffer
        do {
            plain = try Zlib.inflate(buffer, limit: inflatedLimit)
        } catch {
            throw BodyError(.compression, "\(error)")
        }
        let version = try DataVersion.decode(try plain.readSized())
        guard let count = plain.readInteger(as: Int32.self), count >= 0 else { throw BodyError(.truncated, "topics") }
        guard count <= maximumTopics else { throw BodyError(.invalidMember, "\(count) topics") }
        var configs: [TopicConfig] = []
        for _ in 0..<count {
            let line = try plain.readSized()
            if let config = TopicConfig(registrationLine: String(buffer: line)) { configs.append(config) }
        }
        let filterServers = try? JSONReader.parse(try plain.readSized())
        return RegisterBrokerBody(
            topics: TopicConfigTable(dataVersion: version, topics: configs),
            filterServers: filterServers?.elements.compactMap(\.text) ?? []
        )
    }
}

extension TopicConfig {
    /// `name read write perm filterType`; 5.x adds a sixth token. Nil for what is no such line.
    init?(registrationLine line: String) {
        let tokens = line.split(separator: " ", omittingEmptySubsequences: false)
        guard tokens.count >= 5, let read = Int32(tokens[1]), let write = Int32(tokens[2]), let perm = Int32(tokens[3])
        else { return nil }
        self.init(
            topicName: String(tokens[0]), readQueueNums: read, writeQueueNums: write, perm: perm,
            topicFilterType: FilterType(rawValue: String(tokens[4])) ?? .singleTag
        )
    }
}

extension ByteBuffer {
    fileprivate mutating func writeSized(_ part: ByteBuffer) {
        writeInteger(Int32(clamping: part.readableBytes))
        writeImmutableBuffer(part)
    }

    fileprivate mutating func readSized() throws(BodyError) -> ByteBuffer {
        guard let length = readInteger(as: Int32.self), length >= 0, let part = readSlice(length: Int(length)) else {
            throw BodyError(.truncated, "a part of the registration")
        }
        return part
    }
}
