CREATE INDEX audit_event_of_rooms ON audit_event (portal, at_us) WHERE action BETWEEN 5070 AND 5159;
