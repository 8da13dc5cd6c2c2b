-- The facts of the touchpoints of a row, sealed. Rows before have none: what they lack is found where somebody asks for it.
ALTER TABLE batches ADD COLUMN facts BLOB
