-- The last event that the stored profile contains. The few events after it are folded when the object wakes up.
INSERT INTO meta (key, value) SELECT 'folded', max(seq) FROM events HAVING max(seq) IS NOT NULL
