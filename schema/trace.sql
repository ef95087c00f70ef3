-- Version 2. The trace that a message belongs to, as its tracer wrote it: property text as on the wire.
ALTER TABLE escrow_outbox ADD COLUMN trace TEXT;
ALTER TABLE escrow_dead_letter ADD COLUMN trace TEXT;
-- Version 1 put messages that cannot be sent under one name, whatever their topic and event.
UPDATE escrow_dead_letter SET consumer = 'outbox:' || topic || '/' || tag WHERE consumer = 'outbox';
-- Whether a message of a transaction is among them is asked for each receipt.
CREATE INDEX escrow_dead_letter_undeliverable ON escrow_dead_letter (message_id)
    WHERE consumer >= 'outbox:' AND consumer < 'outbox;';
