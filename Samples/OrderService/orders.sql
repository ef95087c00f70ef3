-- Orders and where they stand. A state changes only by comparing it with the one before.
CREATE TABLE shop_order (
    id TEXT PRIMARY KEY,
    -- placed -> reserved -> paid; placed -> rejected; placed or reserved -> cancelled.
    state TEXT NOT NULL CHECK (state IN ('placed', 'reserved', 'paid', 'cancelled', 'rejected')),
    lines INTEGER NOT NULL,
    units INTEGER NOT NULL,
    -- Milliseconds since 1970, as every time here.
    placed INTEGER NOT NULL,
    -- When it was paid, cancelled or rejected; null before.
    decided INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX shop_order_open ON shop_order (state) WHERE state IN ('placed', 'reserved');

-- Every change of a state, in order.
CREATE TABLE order_change (
    sequence INTEGER PRIMARY KEY,
    order_id TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    changed INTEGER NOT NULL
) STRICT;

-- Payments that have arrived: accepted when the order was waiting for it, refused otherwise.
CREATE TABLE payment (
    id TEXT PRIMARY KEY,
    order_id TEXT NOT NULL,
    verdict TEXT NOT NULL CHECK (verdict IN ('accepted', 'refused')),
    received INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX payment_order ON payment (order_id);

-- Money to be sent back, one row for each refused payment.
CREATE TABLE refund (
    sequence INTEGER PRIMARY KEY,
    payment TEXT NOT NULL,
    order_id TEXT NOT NULL,
    reason TEXT NOT NULL,
    ordered INTEGER NOT NULL
) STRICT;

-- Credit notes whose goods were sent back to stock.
CREATE TABLE credit_note (
    id TEXT PRIMARY KEY,
    lines INTEGER NOT NULL,
    units INTEGER NOT NULL,
    accepted INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
