-- Durable timeouts, each owned by a business key. The broker's timer is only their alarm clock.
CREATE TABLE escrow_deadline (
    name TEXT NOT NULL,
    key TEXT NOT NULL,
    -- Grows with every arming and extension; a ring of an older one is stale.
    generation INTEGER NOT NULL,
    due INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('armed', 'fired', 'cancelled', 'dead')),
    armed INTEGER NOT NULL,
    -- When it was fired, cancelled or given up; null while armed.
    ended INTEGER,
    -- While its handler fails: not tried again before.
    retry INTEGER,
    PRIMARY KEY (name, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX escrow_deadline_due ON escrow_deadline (due) WHERE state = 'armed';
CREATE INDEX escrow_deadline_ended ON escrow_deadline (ended) WHERE ended IS NOT NULL;
