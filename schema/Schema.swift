/// The SQL of Escrow's own tables.
///
/// The `.sql` files beside this one are compiled into the program: the file a reader opens is the text that runs.
package enum Schema {
    /// What makes each version out of the one before, beginning with nothing.
    package static var versions: [[String]] {
        [
            [
                PackageResources.identity_sql, PackageResources.fence_sql, PackageResources.outbox_sql,
                PackageResources.inbox_sql, PackageResources.deadline_sql, PackageResources.deadLetter_sql,
                PackageResources.service_sql,
            ],
            [PackageResources.trace_sql],
        ].map { $0.map { String(decoding: $0, as: UTF8.self) } }
    }
}
