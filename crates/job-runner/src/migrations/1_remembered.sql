-- what a run tells the next one about itself; times are microseconds since 1970, UTC
CREATE TABLE remembered (
    name  TEXT    PRIMARY KEY,
    value TEXT    NOT NULL,
    at_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
