-- events that name rooms, among others: few rows, asked for by every run
CREATE INDEX audit_event_of_rooms ON audit_event (at_us) WHERE action BETWEEN 5070 AND 5159;
