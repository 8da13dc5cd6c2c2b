-- When the visitor decided: the report of a client that numbers no revisions is ordered by its time. And whether the browser
-- sent Sec-GPC: 1 along with the choice, because only such a grant lifts it.
ALTER TABLE consent ADD COLUMN chosen_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE consent ADD COLUMN with_gpc INTEGER NOT NULL DEFAULT 0;
-- Whether a report told the choice: a report under the key of a page may take back no more than that.
ALTER TABLE consent ADD COLUMN by_report INTEGER NOT NULL DEFAULT 0;
-- A choice from before this table knew its time is not older than any report that still comes.
UPDATE consent SET chosen_ms = unixepoch() * 1000
