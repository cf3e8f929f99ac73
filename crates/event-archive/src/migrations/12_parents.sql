-- the folder or the room that a folder was in; empty of a room, and of what was read before this column was there
ALTER TABLE held ADD COLUMN parent TEXT NOT NULL DEFAULT '';
-- so that all folders are read once more
DELETE FROM listed_room;
