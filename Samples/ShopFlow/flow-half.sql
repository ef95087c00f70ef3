-- Where the queues of half messages and of their verdicts ended when the store was made: its own stand behind. For a
-- broker that is not here everything is read: it joined later, or the store was made by a version without this table.
CREATE TABLE half_beginning (
    broker TEXT PRIMARY KEY,
    half INTEGER NOT NULL,
    verdict INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
