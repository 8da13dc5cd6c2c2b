-- From here on bodies of events, profiles and addresses are sealed. No table changes: the number keeps versions out that cannot open
-- what is sealed.
SELECT 1
