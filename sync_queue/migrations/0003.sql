-- Tags that a push was about to add whose end was not seen: ours only as far as Plex shows them.
ALTER TABLE sync_log ADD COLUMN intended TEXT NOT NULL DEFAULT '[]';   -- JSON list of [kind, tag]
