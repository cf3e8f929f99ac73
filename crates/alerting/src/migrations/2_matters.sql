-- what people have been told, a row for each matter; times are microseconds since 1970, UTC; severities are 0 (info) to 4 (critical)
CREATE TABLE matter (
    id            TEXT    NOT NULL PRIMARY KEY, -- what people call it
    fingerprint   TEXT    NOT NULL,
    part          TEXT    NOT NULL,             -- which part of what happens the run that told it looks at
    course        INTEGER,                      -- 0 burst, 1 condition; absent: told by an earlier version
    since_us      INTEGER NOT NULL,             -- of all that was found of it
    until_us      INTEGER NOT NULL,
    acts          INTEGER NOT NULL,             -- the largest numbers that were told
    documents     INTEGER NOT NULL,
    severity      INTEGER NOT NULL,             -- the highest that was told
    told_us       INTEGER NOT NULL,             -- the last time
    told_until_us INTEGER NOT NULL,             -- how far what was told reached
    suppressed    INTEGER NOT NULL,             -- runs since then that held a larger one back
    seen_us       INTEGER NOT NULL,             -- when a run last found it
    missing_us    INTEGER,                      -- since when complete runs have not found the condition
    over_us       INTEGER,                      -- when it was over
    finding       TEXT                          -- as it was last found; absent: told by an earlier version
) STRICT;
CREATE INDEX matter_by_fingerprint ON matter (fingerprint);

INSERT INTO matter
    SELECT printf('old-%04d', row_number() OVER (ORDER BY since_us, fingerprint)), fingerprint, '', NULL, since_us, until_us, acts, documents,
           severity, told_us, until_us, suppressed, seen_us, NULL, NULL, NULL
    FROM told;
DROP TABLE told;
