-- What API keys are held to, which of them count as one, and when they were used.
ALTER TABLE api_keys
    ADD COLUMN policy jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN rates_of uuid,
    ADD COLUMN rotated_to uuid,
    ADD COLUMN last_used_at timestamptz;
UPDATE api_keys SET rates_of = key_id;
ALTER TABLE api_keys
    ALTER COLUMN rates_of SET NOT NULL,
    ADD CONSTRAINT api_keys_policy_is_an_object CHECK (jsonb_typeof(policy) = 'object'),
    ADD CONSTRAINT api_keys_rotated_to_exists FOREIGN KEY (rotated_to) REFERENCES api_keys (key_id);
COMMENT ON COLUMN api_keys.policy IS 'Scopes, address ranges and rates; an empty object holds the key to nothing.';
COMMENT ON COLUMN api_keys.rates_of IS 'The key against which its rates count: the first of those that were rotated into it, so that rotating doubles nothing.';
COMMENT ON COLUMN api_keys.rotated_to IS 'The key that replaces it; until expires_at both are good.';
COMMENT ON COLUMN api_keys.last_used_at IS 'By the shard''s clock, to the minute: when it last drew credits, as far as the book has the events.';
