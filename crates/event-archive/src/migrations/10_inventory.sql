-- how many files rooms and folders held, at any depth, each time that was read otherwise than before: the same from since_us to until_us
CREATE TABLE held (
    folder    TEXT    NOT NULL,
    since_us  INTEGER NOT NULL,
    until_us  INTEGER NOT NULL,
    files     INTEGER NOT NULL,
    folders   INTEGER NOT NULL,
    room      TEXT    NOT NULL,       -- that it is in, or is
    title     TEXT    NOT NULL,
    PRIMARY KEY (folder, since_us)
) STRICT, WITHOUT ROWID;
-- what each room held when the folders in it were last listed
CREATE TABLE listed_room (
    room      TEXT    PRIMARY KEY,
    files     INTEGER NOT NULL,
    folders   INTEGER NOT NULL,
    listed_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
