-- Who has registered.
CREATE TABLE account (
    address TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    phone TEXT,
    -- Milliseconds since 1970, as every time here.
    registered INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What is to happen outside the database, and what is known of it.
CREATE TABLE effect (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    address TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('mail', 'sms')),
    -- planned -> attempted -> sent; unknown: attempted, and nobody can say whether it happened.
    state TEXT NOT NULL CHECK (state IN ('planned', 'attempted', 'sent', 'unknown')),
    attempts INTEGER NOT NULL DEFAULT 0,
    -- Not attempted before.
    not_before INTEGER NOT NULL,
    -- What the last attempt that failed said.
    reason TEXT,
    ended INTEGER
) STRICT;

CREATE UNIQUE INDEX effect_once ON effect (address, kind);
CREATE INDEX effect_open ON effect (state, not_before, id) WHERE state IN ('planned', 'attempted');
