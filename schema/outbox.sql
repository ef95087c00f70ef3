-- Messages of committed transactions on their way to the broker, in commit order: whole ones, and half messages that
-- wait for their verdict. A row goes when the broker acknowledged it.
CREATE TABLE escrow_outbox (
    -- Never used twice, so that a reader that remembers the last one misses nothing.
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    -- The fence of the transaction; null for what consumers and the framework publish.
    fence BLOB,
    topic TEXT NOT NULL,
    tag TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    -- Rows of one key leave one after the other; null: in no order.
    ordering_key TEXT,
    body BLOB NOT NULL,
    -- Not to be delivered before; null: at once.
    due INTEGER,
    -- Where its half message is, as JSON; null: to be sent as a whole message.
    half TEXT,
    created INTEGER NOT NULL
) STRICT;

CREATE INDEX escrow_outbox_fence ON escrow_outbox (fence) WHERE fence IS NOT NULL;
