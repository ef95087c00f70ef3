-- The random identity of a database, created with the schema and never changed: it begins the client id of every
-- process on this database, so that a service that is accidentally run on two databases is noticed.
CREATE TABLE escrow_identity (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    identity BLOB NOT NULL CHECK (length(identity) = 16)
) STRICT;
