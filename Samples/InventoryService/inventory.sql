-- What is in the warehouse. What is reserved is still on hand.
CREATE TABLE stock (
    code TEXT PRIMARY KEY,
    -- On hand when the code was first stocked.
    opening INTEGER NOT NULL,
    on_hand INTEGER NOT NULL,
    reserved INTEGER NOT NULL DEFAULT 0,
    CHECK (reserved >= 0 AND reserved <= on_hand)
) STRICT, WITHOUT ROWID;

-- One row for each order that was heard of. All its lines are reserved or none.
CREATE TABLE holding (
    order_id TEXT PRIMARY KEY,
    -- reserved -> confirmed or released. refused: not enough stock. overtaken: its end was heard of before its
    -- beginning, so the beginning will be refused.
    state TEXT NOT NULL CHECK (state IN ('reserved', 'confirmed', 'released', 'refused', 'overtaken')),
    changed INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX holding_open ON holding (state) WHERE state = 'reserved';

CREATE TABLE reservation (
    order_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    code TEXT NOT NULL,
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    -- reserved -> confirmed or released.
    state TEXT NOT NULL CHECK (state IN ('reserved', 'confirmed', 'released')),
    PRIMARY KEY (order_id, position)
) STRICT, WITHOUT ROWID;

-- Every change of a holding, in order.
CREATE TABLE holding_change (
    sequence INTEGER PRIMARY KEY,
    order_id TEXT NOT NULL,
    state TEXT NOT NULL,
    changed INTEGER NOT NULL
) STRICT;

-- Goods that came back.
CREATE TABLE returned (
    note TEXT NOT NULL,
    position INTEGER NOT NULL,
    code TEXT NOT NULL,
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (note, position)
) STRICT, WITHOUT ROWID;
