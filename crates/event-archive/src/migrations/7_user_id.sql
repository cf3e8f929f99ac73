-- in PostgreSQL a column called "user" would be the role of the session
ALTER TABLE login_event RENAME COLUMN user TO user_id;
