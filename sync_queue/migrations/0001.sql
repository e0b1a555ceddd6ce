-- Scenes that must wait for a time. When due they are queued again; they block nobody meanwhile.
CREATE TABLE waiting (
    scene INTEGER PRIMARY KEY,
    due REAL NOT NULL,
    attempts INTEGER NOT NULL,          -- how often it was tried for this reason
    since REAL NOT NULL,                -- when it first had to wait
    kind TEXT NOT NULL,
    reason TEXT NOT NULL,
    file TEXT NOT NULL DEFAULT ''       -- base name, to notice when Plex gains it
);
CREATE INDEX waiting_due ON waiting (due);

-- Attempts begun and not settled: what is left of a worker that was killed.
CREATE TABLE attempts (
    scene INTEGER PRIMARY KEY,
    started INTEGER NOT NULL,
    at REAL NOT NULL
);

CREATE TABLE dead_letters (
    scene INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    reason TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    at REAL NOT NULL,
    file TEXT NOT NULL DEFAULT ''
);

-- What was last pushed, per scene and Plex item. Makes an unchanged scene cost nothing.
CREATE TABLE sync_log (
    scene INTEGER NOT NULL,
    item TEXT NOT NULL,                 -- Plex rating key
    section TEXT NOT NULL,
    fingerprint TEXT NOT NULL,          -- '' until a push was seen to end
    owned TEXT NOT NULL,                -- tags that we added: JSON list of [kind, tag]
    updated_at TEXT NOT NULL,           -- the scene's, as Stash writes it
    at REAL NOT NULL,
    PRIMARY KEY (scene, item)
);

CREATE TABLE outages (
    id INTEGER PRIMARY KEY,
    started REAL NOT NULL,
    ended REAL,
    cause TEXT NOT NULL,
    scenes INTEGER NOT NULL DEFAULT 0   -- how many waited when it ended
);

-- Single values: breaker, cursors, the Plex server's identity, our client identifier.
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);

CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
