-- Messages given up on, with everything needed to handle them again after the broker has forgotten them.
CREATE TABLE escrow_dead_letter (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    consumer TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    ordering_key TEXT,
    topic TEXT NOT NULL,
    tag TEXT NOT NULL,
    body BLOB NOT NULL,
    message_id TEXT NOT NULL,
    reason TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    born INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    -- open; wanted: to be handled again by the running service; redriven; discarded.
    state TEXT NOT NULL CHECK (state IN ('open', 'wanted', 'redriven', 'discarded')),
    redrives INTEGER NOT NULL DEFAULT 0,
    ended INTEGER
) STRICT;

CREATE INDEX escrow_dead_letter_state ON escrow_dead_letter (state, id);
CREATE UNIQUE INDEX escrow_dead_letter_open ON escrow_dead_letter (consumer, idempotency_key)
    WHERE state IN ('open', 'wanted');
