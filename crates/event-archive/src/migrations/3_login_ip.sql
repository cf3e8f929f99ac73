-- whether the request said itself what address to note; of logins read before this step nobody knows
ALTER TABLE login_event ADD COLUMN ip_was_set INTEGER NOT NULL DEFAULT 0;
