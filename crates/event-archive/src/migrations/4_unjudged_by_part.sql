-- the same for each kind of runs: empty for those that judge everything, else what those look at
CREATE TABLE unjudged_by_part (
    part  TEXT    NOT NULL,
    at_us INTEGER NOT NULL,
    PRIMARY KEY (part, at_us)
) STRICT, WITHOUT ROWID;
INSERT INTO unjudged_by_part (part, at_us) SELECT '', at_us FROM unjudged;
DROP TABLE unjudged;
ALTER TABLE unjudged_by_part RENAME TO unjudged;
