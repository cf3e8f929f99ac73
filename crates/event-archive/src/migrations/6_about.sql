-- the person or group whose membership an event changed, 32 hexadecimal digits; logs that were read before this step do not tell
ALTER TABLE room_log ADD COLUMN about TEXT;
