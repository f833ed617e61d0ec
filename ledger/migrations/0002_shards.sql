-- Who owns which shard, how far it is drained, and what went wrong with it.
CREATE TABLE owners (
    owner uuid NOT NULL,
    name text NOT NULL,
    heartbeat_until timestamptz NOT NULL,
    CONSTRAINT owners_pkey PRIMARY KEY (owner)
);
COMMENT ON TABLE owners IS 'Live ledger-sync processes; a row past heartbeat_until is a process that is gone.';

CREATE TABLE shards (
    kind text NOT NULL,
    number smallint NOT NULL,
    owner uuid,
    owner_name text,
    epoch bigint NOT NULL DEFAULT 0,
    lease_until timestamptz,
    incarnation bigint NOT NULL DEFAULT 0,
    certification bigint NOT NULL DEFAULT 0,
    applied_sequence bigint,
    applied_op uuid,
    applied_kind text,
    installed_upto uuid,
    state text NOT NULL DEFAULT 'new',
    drained_at timestamptz,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT shards_pkey PRIMARY KEY (kind, number),
    CONSTRAINT shards_kind_known CHECK (kind IN ('accounts', 'keys')),
    CONSTRAINT shards_state_known CHECK (state IN ('new', 'installing', 'open', 'sealed')),
    CONSTRAINT shards_owner_has_lease CHECK ((owner IS NULL) = (lease_until IS NULL))
) WITH (fillfactor = 20);
COMMENT ON TABLE shards IS 'One row a shard. Epoch, certification and incarnation are its fence: each commit of an owner names all three.';
COMMENT ON COLUMN shards.epoch IS 'Raised by each claim; a former owner''s commits name an older one and fail.';
COMMENT ON COLUMN shards.lease_until IS 'By the clock of this server. An owner that lets it pass may be replaced.';
COMMENT ON COLUMN shards.incarnation IS 'How many times the live state was built anew.';
COMMENT ON COLUMN shards.certification IS 'The number that stands in the scripts of the Redis process last compared with this book.';
COMMENT ON COLUMN shards.applied_sequence IS 'Sequence of the last event of this incarnation in the book; null before its first.';
COMMENT ON COLUMN shards.applied_op IS 'Op of that event, if it has one: certifying compares it with the stream.';
COMMENT ON COLUMN shards.installed_upto IS 'While installing: the last account written to Redis.';

CREATE TABLE incidents (
    incident_id bigint GENERATED ALWAYS AS IDENTITY,
    shard_kind text NOT NULL,
    shard smallint NOT NULL,
    kind text NOT NULL,
    detail jsonb NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT incidents_pkey PRIMARY KEY (incident_id)
);
COMMENT ON TABLE incidents IS 'What an operator should know of: rebuilds, shortfalls, losses.';

CREATE TABLE dead_letters (
    shard smallint NOT NULL,
    incarnation bigint NOT NULL,
    sequence bigint NOT NULL,
    bytes bytea NOT NULL,
    reason text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    resolved_at timestamptz,
    CONSTRAINT dead_letters_pkey PRIMARY KEY (shard, incarnation, sequence)
);
COMMENT ON TABLE dead_letters IS 'Events that could not be applied, as they stood in the stream.';
