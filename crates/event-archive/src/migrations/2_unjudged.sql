-- dates of audit events that were stored only after their time had been read, and that no rule has judged since
CREATE TABLE unjudged (
    at_us INTEGER PRIMARY KEY
) STRICT;
