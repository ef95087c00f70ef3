-- One more state. SQLite changes a CHECK only together with its table.
CREATE TABLE effect_with_failed (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    address TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('mail', 'sms')),
    -- planned -> attempted -> sent; unknown: attempted, and nobody can say whether it happened; failed: it certainly
    -- did not happen, and is not tried again.
    state TEXT NOT NULL CHECK (state IN ('planned', 'attempted', 'sent', 'failed', 'unknown')),
    attempts INTEGER NOT NULL DEFAULT 0,
    -- Not attempted before.
    not_before INTEGER NOT NULL,
    -- What the last attempt that failed said.
    reason TEXT,
    ended INTEGER,
    -- Who performs an effect while it is attempted, and since when.
    holder TEXT,
    attempted INTEGER
) STRICT;

INSERT INTO effect_with_failed (id, address, kind, state, attempts, not_before, reason, ended, holder, attempted)
    SELECT id, address, kind, state, attempts, not_before, reason, ended, holder, attempted FROM effect;
DROP TABLE effect;
ALTER TABLE effect_with_failed RENAME TO effect;

CREATE UNIQUE INDEX effect_once ON effect (address, kind);
CREATE INDEX effect_open ON effect (state, not_before, id) WHERE state IN ('planned', 'attempted');
