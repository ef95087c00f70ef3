-- One row for each decided transaction, written by its first statement: a check-back reads its verdict here. A rollback
-- fence is written by a check-back that found none; it keeps the transaction from committing later.
CREATE TABLE escrow_fence (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    verdict TEXT NOT NULL CHECK (verdict IN ('commit', 'rollback')),
    kind TEXT NOT NULL,
    -- Asked for again with the same key, a transaction gives the first call's result.
    idempotency_key TEXT,
    result BLOB,
    -- Milliseconds since 1970, as every time here.
    decided INTEGER NOT NULL,
    -- When the last of its messages was acknowledged by its broker; null before.
    acknowledged INTEGER
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX escrow_fence_key ON escrow_fence (kind, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX escrow_fence_open ON escrow_fence (decided) WHERE acknowledged IS NULL;
CREATE INDEX escrow_fence_acknowledged ON escrow_fence (acknowledged) WHERE acknowledged IS NOT NULL;
