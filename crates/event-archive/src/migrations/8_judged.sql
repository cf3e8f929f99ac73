-- what rules have judged, for each kind of runs: disjoint, [since, until); before this step only its end was known, and what had not been
-- read before that end was forgotten
CREATE TABLE judged_span (
    part     TEXT    NOT NULL,
    since_us INTEGER NOT NULL,
    until_us INTEGER NOT NULL,
    PRIMARY KEY (part, since_us)
) STRICT, WITHOUT ROWID;
-- since when each kind of runs looks: what it has not judged since then is a hole
CREATE TABLE watched (
    part     TEXT    PRIMARY KEY,
    since_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- holes that somebody gave up; they count as judged
CREATE TABLE given_up (
    part     TEXT    NOT NULL,
    since_us INTEGER NOT NULL,
    until_us INTEGER NOT NULL,
    reason   TEXT    NOT NULL,
    at_us    INTEGER NOT NULL,
    PRIMARY KEY (part, since_us, until_us)
) STRICT, WITHOUT ROWID;
INSERT INTO judged_span (part, since_us, until_us)
    SELECT substr(moment.name, 8), span.since_us, min(span.until_us, moment.at_us)
    FROM moment JOIN covered_span AS span ON span.source = 'audit' AND span.since_us < moment.at_us
    WHERE moment.name = 'judged' OR moment.name LIKE 'judged %';
INSERT INTO watched (part, since_us) SELECT part, min(since_us) FROM judged_span GROUP BY part;
DELETE FROM moment WHERE name = 'judged' OR name LIKE 'judged %';
