/// The SQL of Escrow's own tables.
///
/// The `.sql` files beside this one are compiled into the program: the file a reader opens is the text that runs.
package enum Schema {
    /// The identity of a database; see `identity.sql`.
    package static var identity: String { String(decoding: PackageResources.identity_sql, as: UTF8.self) }
}
