-- times are microseconds since 1970, UTC; severities are 0 (info) to 4 (critical)

-- what people have been told: of one fingerprint, windows never overlap
CREATE TABLE told (
    fingerprint TEXT    NOT NULL,
    since_us    INTEGER NOT NULL,
    until_us    INTEGER NOT NULL,
    acts        INTEGER NOT NULL,
    documents   INTEGER NOT NULL,
    severity    INTEGER NOT NULL,
    told_us     INTEGER NOT NULL,
    suppressed  INTEGER NOT NULL,     -- runs since then that held a larger one back
    seen_us     INTEGER NOT NULL,     -- when a run last found it
    PRIMARY KEY (fingerprint, since_us)
) STRICT, WITHOUT ROWID;

-- what a channel has not taken yet
CREATE TABLE waiting (
    alert    TEXT    NOT NULL,        -- its id
    channel  TEXT    NOT NULL,        -- its name
    json     TEXT    NOT NULL,
    severity INTEGER NOT NULL,
    tries    INTEGER NOT NULL,
    first_us INTEGER NOT NULL,        -- when it was put here
    next_us  INTEGER,                 -- not before; absent: given up, the next report says so
    reached  INTEGER NOT NULL,        -- 1: another channel took it
    PRIMARY KEY (alert, channel)
) STRICT;
