-- What each consumer has handled: one row for each (consumer, idempotency key), written in the transaction of the
-- handler. Rows are in the order of handling, so that the oldest are purged from the front.
CREATE TABLE escrow_inbox (
    sequence INTEGER PRIMARY KEY,
    consumer TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    -- done, late, ignored, or dead: given up, and open to a redrive.
    outcome TEXT NOT NULL,
    reason TEXT,
    handled INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX escrow_inbox_key ON escrow_inbox (consumer, idempotency_key);

-- Messages that failed and will be tried again. Written outside the savepoint of the handler, whose writes are gone.
CREATE TABLE escrow_attempt (
    consumer TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    reason TEXT NOT NULL,
    first_failed INTEGER NOT NULL,
    last_failed INTEGER NOT NULL,
    -- The next attempt is not made before; null: at once.
    not_before INTEGER,
    PRIMARY KEY (consumer, idempotency_key)
) STRICT, WITHOUT ROWID;
