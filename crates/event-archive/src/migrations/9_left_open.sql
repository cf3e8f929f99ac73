-- what runs with an earlier beginning of their own could not see or judge, from before the others look: disjoint, [since, until)
CREATE TABLE left_open (
    part     TEXT    NOT NULL,
    since_us INTEGER NOT NULL,
    until_us INTEGER NOT NULL,
    PRIMARY KEY (part, since_us)
) STRICT, WITHOUT ROWID;
