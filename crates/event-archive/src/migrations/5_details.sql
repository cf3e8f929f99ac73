-- where an event came from and what sent it, as JSON among the phrases; absent where nobody asked for it
ALTER TABLE audit_event ADD COLUMN details INTEGER REFERENCES phrase;

CREATE VIEW event_with_details AS
    SELECT event.*, phrase.value AS details
    FROM event
    JOIN audit_event AS row ON row.id = event.id
    LEFT JOIN phrase ON phrase.id = row.details;
