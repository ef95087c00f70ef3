-- Which process relays the outbox: one at a time.
CREATE TABLE escrow_lease (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    holder TEXT NOT NULL,
    expires INTEGER NOT NULL
) STRICT;

-- Totals since the database was made.
CREATE TABLE escrow_counter (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Check-backs that got no verdict, for a person to look at: of another database, too old, or of an unknown kind.
CREATE TABLE escrow_unresolved (
    message_id TEXT PRIMARY KEY,
    reason TEXT NOT NULL,
    topic TEXT NOT NULL,
    first_asked INTEGER NOT NULL,
    last_asked INTEGER NOT NULL,
    asked INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
