/// The SQL of Escrow's own tables.
///
/// The `.sql` files beside this one are compiled into the program: the file a reader opens is the text that runs.
package enum Schema {
    /// What a new database gets, in this order.
    package static var version1: [String] {
        [
            PackageResources.identity_sql, PackageResources.fence_sql, PackageResources.outbox_sql,
            PackageResources.inbox_sql, PackageResources.deadline_sql, PackageResources.deadLetter_sql,
            PackageResources.service_sql,
        ].map { String(decoding: $0, as: UTF8.self) }
    }
}
