-- the same as in SQLite, which says what the columns mean; the portal is in every key
CREATE TABLE thread (
    portal TEXT COLLATE "C" NOT NULL DEFAULT current_setting('job.portal'),
    matter TEXT COLLATE "C" NOT NULL,
    channel TEXT COLLATE "C" NOT NULL,
    reference TEXT COLLATE "C" NOT NULL,
    at_us BIGINT NOT NULL,
    PRIMARY KEY (portal, matter, channel)
);
CREATE TABLE delivery (
    portal TEXT COLLATE "C" NOT NULL DEFAULT current_setting('job.portal'),
    alert TEXT COLLATE "C" NOT NULL,
    channel TEXT COLLATE "C" NOT NULL,
    matter TEXT COLLATE "C",
    rule TEXT COLLATE "C" NOT NULL,
    severity BIGINT NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    at_us BIGINT NOT NULL,
    outcome BIGINT NOT NULL,
    answer TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (portal, alert, channel)
);
CREATE INDEX delivery_by_time ON delivery (portal, at_us);
CREATE TABLE silence (
    portal TEXT COLLATE "C" NOT NULL DEFAULT current_setting('job.portal'),
    id TEXT COLLATE "C" NOT NULL,
    criteria TEXT COLLATE "C" NOT NULL,
    since_us BIGINT NOT NULL,
    until_us BIGINT NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    author TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (portal, id)
);
