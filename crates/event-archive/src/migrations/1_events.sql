-- times are microseconds since 1970, UTC
CREATE TABLE audit_event (
    id         INTEGER PRIMARY KEY,   -- the portal's
    at_us      INTEGER NOT NULL,
    actor      BLOB    NOT NULL,      -- 16 bytes
    actor_name TEXT    NOT NULL,
    action     INTEGER NOT NULL,
    text       TEXT,
    ip         TEXT,
    target     TEXT    NOT NULL,      -- JSON array of strings
    context    TEXT
) STRICT;
CREATE INDEX audit_event_by_time ON audit_event (at_us, id);

-- what was read completely: disjoint, [since, until)
CREATE TABLE covered_span (
    source   TEXT    NOT NULL,
    since_us INTEGER NOT NULL,
    until_us INTEGER NOT NULL,
    PRIMARY KEY (source, since_us)
) STRICT, WITHOUT ROWID;

-- every title a room was seen with; the newest is the present one
CREATE TABLE room_title (
    room       TEXT    NOT NULL,
    title      TEXT    NOT NULL,
    room_type  INTEGER,               -- absent: known from events only
    created_us INTEGER,
    seen_us    INTEGER NOT NULL,
    PRIMARY KEY (room, title)
) STRICT, WITHOUT ROWID;
