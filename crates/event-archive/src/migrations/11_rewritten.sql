-- events in which somebody was made nameless: reading them again does not bring the name back
CREATE TABLE rewritten (
    event INTEGER PRIMARY KEY
) STRICT;
