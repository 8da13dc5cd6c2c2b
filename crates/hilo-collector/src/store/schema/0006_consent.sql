-- When the visitor decided: the report of a client that numbers no revisions is ordered by its time. And whether the browser
-- sent Sec-GPC: 1 along with the choice, because only such a grant lifts it.
ALTER TABLE consent ADD COLUMN chosen_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE consent ADD COLUMN with_gpc INTEGER NOT NULL DEFAULT 0
