-- How far lots had moved at every so many-th event of their account, so that what a lot held at any event is found without adding up the
-- account's whole past. Made beside the drain, from entries; accounts of before get theirs, piece by piece, from when they next draw.
CREATE TABLE account_marks (
    account_id uuid NOT NULL,
    seq bigint NOT NULL,
    entry_id bigint NOT NULL,
    occurred_at timestamptz NOT NULL,
    CONSTRAINT account_marks_pkey PRIMARY KEY (account_id, seq)
);
COMMENT ON TABLE account_marks IS 'Events of an account at which it is noted how far its lots had moved.';
COMMENT ON COLUMN account_marks.entry_id IS 'The last entry of an event up to there; entries of no event before it are in the mark, too.';
COMMENT ON COLUMN account_marks.occurred_at IS 'When that was: what came after is looked for from there on.';

CREATE TABLE lot_marks (
    lot_id bigint NOT NULL,
    seq bigint NOT NULL,
    moved bigint NOT NULL,
    CONSTRAINT lot_marks_pkey PRIMARY KEY (lot_id, seq)
);
COMMENT ON TABLE lot_marks IS 'A row for each mark of its account since whose forerunner the lot has moved.';
COMMENT ON COLUMN lot_marks.moved IS 'Sum over the lot''s entries, its grant left out, up to the mark.';
