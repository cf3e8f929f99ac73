-- who may run, by the clock of the server; the number of a lease only grows
CREATE TABLE lease (
    portal TEXT COLLATE "C" NOT NULL DEFAULT current_setting('job.portal'),
    job TEXT COLLATE "C" NOT NULL,
    holder TEXT COLLATE "C" NOT NULL,
    fence BIGINT NOT NULL,
    since_us BIGINT NOT NULL,
    until_us BIGINT NOT NULL,
    PRIMARY KEY (portal, job)
);
