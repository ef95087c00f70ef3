-- What a store was made for. A run that goes on there finds its settings here.
CREATE TABLE run (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    -- In front of every topic and group: stores on one broker never meet.
    namespace TEXT NOT NULL,
    -- demo, or the name of the file.
    source TEXT NOT NULL,
    orders INTEGER,
    unpaid INTEGER NOT NULL,
    opening_stock INTEGER NOT NULL,
    -- Its bits, as a signed number.
    seed INTEGER NOT NULL,
    -- Of the workload that these make.
    fingerprint TEXT NOT NULL,
    -- Whether the broker is in the store; else it is elsewhere.
    is_embedded INTEGER NOT NULL,
    begun INTEGER NOT NULL
) STRICT;

-- What became of the input's lines.
CREATE TABLE input (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    lines INTEGER NOT NULL,
    used INTEGER NOT NULL,
    skipped INTEGER NOT NULL,
    malformed INTEGER NOT NULL
) STRICT;
