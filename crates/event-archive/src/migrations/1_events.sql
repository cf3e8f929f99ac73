-- times are microseconds since 1970, UTC

-- texts that many rows share: accounts, names, contexts, addresses
CREATE TABLE phrase (
    id    INTEGER PRIMARY KEY,
    value TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE audit_event (
    id         INTEGER PRIMARY KEY,   -- the portal's
    at_us      INTEGER NOT NULL,
    actor      INTEGER NOT NULL REFERENCES phrase,   -- 32 hexadecimal digits
    actor_name INTEGER NOT NULL REFERENCES phrase,
    action     INTEGER NOT NULL,
    text       TEXT,
    ip         INTEGER REFERENCES phrase,
    target     TEXT    NOT NULL,      -- JSON array of strings
    context    INTEGER REFERENCES phrase
) STRICT;
CREATE INDEX audit_event_by_time ON audit_event (at_us);
-- RoomDeleted: few rows, asked for by every run
CREATE INDEX audit_event_room_deleted ON audit_event (at_us) WHERE action = 5074;

-- events with their phrases
CREATE VIEW event AS
    SELECT row.id, row.at_us, actor.value AS actor, actor_name.value AS actor_name, row.action, row.text, ip.value AS ip,
           row.target, context.value AS context
    FROM audit_event AS row
    JOIN phrase AS actor ON actor.id = row.actor
    JOIN phrase AS actor_name ON actor_name.id = row.actor_name
    LEFT JOIN phrase AS ip ON ip.id = row.ip
    LEFT JOIN phrase AS context ON context.id = row.context;

CREATE TABLE login_event (
    id        INTEGER PRIMARY KEY,
    at_us     INTEGER NOT NULL,
    user      TEXT    NOT NULL,       -- 32 hexadecimal digits
    user_name TEXT    NOT NULL,
    login     TEXT,
    action    INTEGER NOT NULL,
    text      TEXT,
    ip        TEXT,
    country   TEXT,
    city      TEXT,
    browser   TEXT,
    platform  TEXT
) STRICT;
CREATE INDEX login_event_by_time ON login_event (at_us);

-- which events the activity log of a room lists; the events themselves are in audit_event
CREATE TABLE room_log (
    room  TEXT    NOT NULL,
    event INTEGER NOT NULL,
    at_us INTEGER NOT NULL,
    PRIMARY KEY (room, event)
) STRICT, WITHOUT ROWID;
CREATE INDEX room_log_by_time ON room_log (room, at_us);

-- what was read completely: disjoint, [since, until)
CREATE TABLE covered_span (
    source   TEXT    NOT NULL,
    since_us INTEGER NOT NULL,
    until_us INTEGER NOT NULL,
    PRIMARY KEY (source, since_us)
) STRICT, WITHOUT ROWID;

-- when each source was last read again thoroughly, by its name; up to when rules have judged, as `judged`
CREATE TABLE moment (
    name  TEXT    PRIMARY KEY,
    at_us INTEGER NOT NULL
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

-- what was learned of the portal, its people, files and folders, as JSON, and when
CREATE TABLE fact (
    kind       TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    value      TEXT    NOT NULL,
    learned_us INTEGER NOT NULL,
    PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;
