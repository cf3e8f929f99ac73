-- RoomDeleted: few rows, asked for by every run
CREATE INDEX audit_event_room_deleted ON audit_event (at_us) WHERE action = 5074;
