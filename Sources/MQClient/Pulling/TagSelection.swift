import MQProtocol

/// The tags of a subscription, compared as texts: brokers compare their hashes only.
struct TagSelection: Sendable, Hashable {
    /// Nil: everything, also messages without a tag.
    private let tags: Set<String>?

    /// - Parameter expression: `*`, or tags joined with `||`.
    init(_ expression: String) {
        tags = TagFilter(expression: expression).isAll ? nil : Set(TagFilter.tags(in: expression))
    }

    func admits(_ tag: @autoclosure () -> String?) -> Bool {
        guard let tags else { return true }
        return tag().map(tags.contains) ?? false
    }
}
