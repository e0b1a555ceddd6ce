-- Pictures: which cover an item shows, so that it is uploaded again only when it changed.
ALTER TABLE sync_log ADD COLUMN cover TEXT NOT NULL DEFAULT '';        -- SHA-1 of the cover's bytes
ALTER TABLE sync_log ADD COLUMN etag TEXT NOT NULL DEFAULT '';         -- Stash's name for the same cover
ALTER TABLE sync_log ADD COLUMN pictures TEXT NOT NULL DEFAULT '{}';   -- kind -> Plex's address of the picture it became
