-- Until when a framework on a schedule was assessed: the next one begins there.
ALTER TABLE compliance_schedules ADD COLUMN done INTEGER NOT NULL DEFAULT 0;
UPDATE compliance_schedules SET done = next - days * 86400000000;
