-- that this store is moved to another one, or filled from one; times are microseconds since 1970, UTC
CREATE TABLE moved (
    side     TEXT    PRIMARY KEY CHECK (side IN ('from', 'to')), -- where the other store stands
    move     TEXT    NOT NULL,        -- the same in both stores
    other    TEXT    NOT NULL,        -- the name of the other store
    begun_us INTEGER NOT NULL,
    ended_us INTEGER                  -- absent: it has not ended
) STRICT, WITHOUT ROWID;
-- how far each table has been copied into this store
CREATE TABLE moved_table (
    name     TEXT    PRIMARY KEY,
    last_key TEXT    NOT NULL         -- of the last row, as JSON
) STRICT, WITHOUT ROWID;
