-- Version 2. The trace that a message belongs to, as its tracer wrote it: property text as on the wire.
ALTER TABLE escrow_outbox ADD COLUMN trace TEXT;
ALTER TABLE escrow_dead_letter ADD COLUMN trace TEXT;
