-- the tables as the step before leaves them in SQLite, which says what the columns mean; the portal is in every key
CREATE TABLE moved (
    portal TEXT COLLATE "C" NOT NULL DEFAULT current_setting('job.portal'),
    side TEXT COLLATE "C" NOT NULL CHECK (side IN ('from', 'to')),
    move TEXT COLLATE "C" NOT NULL,
    other TEXT COLLATE "C" NOT NULL,
    begun_us BIGINT NOT NULL,
    ended_us BIGINT,
    PRIMARY KEY (portal, side)
);
CREATE TABLE moved_table (
    portal TEXT COLLATE "C" NOT NULL DEFAULT current_setting('job.portal'),
    name TEXT COLLATE "C" NOT NULL,
    last_key TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (portal, name)
);
