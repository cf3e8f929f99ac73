-- the tables as the step before leaves them in SQLite, which says what the columns mean; the portal is in every key
CREATE TABLE journal_entry (
    portal TEXT COLLATE "C" NOT NULL DEFAULT current_setting('job.portal'),
    key TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('planned', 'started', 'done', 'failed', 'unknown')),
    payload TEXT COLLATE "C" NOT NULL,
    created_us BIGINT NOT NULL,
    updated_us BIGINT NOT NULL,
    PRIMARY KEY (portal, key)
);
CREATE INDEX journal_entry_by_kind ON journal_entry (portal, kind, created_us);
