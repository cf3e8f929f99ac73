-- the tables as the step before leaves them in SQLite, which says what the columns mean; the portal is in every key
CREATE TABLE remembered (
    portal TEXT COLLATE "C" NOT NULL DEFAULT current_setting('job.portal'),
    name TEXT COLLATE "C" NOT NULL,
    value TEXT COLLATE "C" NOT NULL,
    at_us BIGINT NOT NULL,
    PRIMARY KEY (portal, name)
);
