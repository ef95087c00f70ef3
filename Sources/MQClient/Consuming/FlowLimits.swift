/// How much of one queue may be held unfinished before no more is pulled.
struct FlowLimits: Sendable, Hashable {
    /// Why no more is pulled for now.
    enum Excess: Sendable, Hashable {
        case count, bytes, span
    }

    var count: Int
    /// Of bodies, decompressed.
    var bytes: Int
    /// From the first unfinished message to the last one, in offsets; nil: any. Orderly consumption has none, because
    /// there nothing is finished before what lies in front of it.
    var span: Int64?

    /// The limit that is exceeded; nil when more may be pulled. A limit is exceeded by at most one pull.
    func excess(count: Int, bytes: Int, span: Int64) -> Excess? {
        if count > self.count { return .count }
        if bytes > self.bytes { return .bytes }
        if let limit = self.span, span > limit { return .span }
        return nil
    }
}
