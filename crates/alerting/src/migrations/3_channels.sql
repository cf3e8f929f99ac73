-- times are microseconds since 1970, UTC; severities are 0 (info) to 4 (critical)

-- what the receiver of a channel called the first alert about a matter, for the later ones
CREATE TABLE thread (
    matter    TEXT    NOT NULL,
    channel   TEXT    NOT NULL,        -- its name
    reference TEXT    NOT NULL,
    at_us     INTEGER NOT NULL,
    PRIMARY KEY (matter, channel)
) STRICT, WITHOUT ROWID;

-- what became of an alert in a channel
CREATE TABLE delivery (
    alert    TEXT    NOT NULL,        -- its id
    channel  TEXT    NOT NULL,        -- its name
    matter   TEXT,
    rule     TEXT    NOT NULL,
    severity INTEGER NOT NULL,
    subject  TEXT    NOT NULL,
    at_us    INTEGER NOT NULL,        -- of the last try, or when it was kept
    outcome  INTEGER NOT NULL,        -- 0 waits, 1 taken, 2 given up, 3 told in a summary, 4 not for this channel
    answer   TEXT    NOT NULL,        -- why not; empty: it was taken, or nobody has tried yet
    PRIMARY KEY (alert, channel)
) STRICT, WITHOUT ROWID;
CREATE INDEX delivery_by_time ON delivery (at_us);

-- what is not told for a time
CREATE TABLE silence (
    id       TEXT    NOT NULL PRIMARY KEY, -- what people call it
    criteria TEXT    NOT NULL,             -- a JSON object: every member has to match
    since_us INTEGER NOT NULL,
    until_us INTEGER NOT NULL,             -- exclusive; earlier when somebody has ended it
    reason   TEXT    NOT NULL,
    author   TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
