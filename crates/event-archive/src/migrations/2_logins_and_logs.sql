CREATE TABLE login_event (
    id        INTEGER PRIMARY KEY,
    at_us     INTEGER NOT NULL,
    user      BLOB    NOT NULL,
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
CREATE INDEX login_event_by_time ON login_event (at_us, id);

-- which events the activity log of a room lists; the events themselves are in audit_event
CREATE TABLE room_log (
    room  TEXT    NOT NULL,
    event INTEGER NOT NULL,
    at_us INTEGER NOT NULL,
    PRIMARY KEY (room, event)
) STRICT, WITHOUT ROWID;
CREATE INDEX room_log_by_time ON room_log (room, at_us);

-- when a source was last read again thoroughly
CREATE TABLE thorough_read (
    source TEXT    PRIMARY KEY,
    at_us  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
