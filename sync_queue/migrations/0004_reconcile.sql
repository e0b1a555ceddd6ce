-- Where Stash had the scene's files when it was pushed: a digest, '' when that is not known.
ALTER TABLE sync_log ADD COLUMN place TEXT NOT NULL DEFAULT '';
-- What the item looked like in Plex's listing: when it was last found to be right, and in the run seen_in.
ALTER TABLE sync_log ADD COLUMN look TEXT NOT NULL DEFAULT '';
ALTER TABLE sync_log ADD COLUMN seen TEXT NOT NULL DEFAULT '';
ALTER TABLE sync_log ADD COLUMN seen_in INTEGER NOT NULL DEFAULT 0;
-- An item belongs to one scene. Rows of scene 0 are of items whose scene has its file no more.
CREATE INDEX sync_log_item ON sync_log (item);

CREATE TABLE runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    started REAL NOT NULL,
    ended REAL,                         -- NULL: it goes on
    content TEXT NOT NULL               -- JSON: plan, cursor, counts, examples
);
