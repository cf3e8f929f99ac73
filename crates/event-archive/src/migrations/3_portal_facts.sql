-- what the portal said about itself, as JSON, and when
CREATE TABLE portal_fact (
    name       TEXT    PRIMARY KEY,
    value      TEXT    NOT NULL,
    learned_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
