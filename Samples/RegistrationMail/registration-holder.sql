-- Who performs an effect while it is attempted, and since when.
ALTER TABLE effect ADD COLUMN holder TEXT;
ALTER TABLE effect ADD COLUMN attempted INTEGER;
-- Attempted by a version that did not say: taken for abandoned long ago.
UPDATE effect SET holder = '', attempted = 0 WHERE state = 'attempted';
