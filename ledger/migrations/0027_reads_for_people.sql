-- What people search and leaf through: accounts by the words of their names, what was changed, latest first.

-- A table of its own, so that no index of accounts is built or kept while events are drained.
CREATE FUNCTION search_words(said text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT array_remove(regexp_split_to_array(lower(said), '[\s!-/:-@\[-`{-~]+'), '')
$$;
COMMENT ON FUNCTION search_words IS 'Whatever stands between spaces and punctuation, in lower case.';
CREATE FUNCTION search_beginnings(said text) RETURNS tsquery LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT string_agg(quote_literal(word) || ':*', ' & ')::tsquery FROM unnest(search_words(said)) AS word
$$;
COMMENT ON FUNCTION search_beginnings IS 'Finds what has a word for each of these that begins with it; null where there is none.';

CREATE TABLE account_words (
    account_id uuid NOT NULL,
    words tsvector NOT NULL,
    CONSTRAINT account_words_pkey PRIMARY KEY (account_id)
);
COMMENT ON TABLE account_words IS 'The words of an account''s name and address, written with the account: for finding it by their beginnings.';
INSERT INTO account_words (account_id, words)
SELECT account_id, array_to_tsvector(search_words(concat_ws(' ', name, email))) FROM accounts;
CREATE INDEX account_words_by_word ON account_words USING gin (words) WITH (fastupdate = off);

CREATE FUNCTION note_account_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO account_words (account_id, words)
    VALUES (NEW.account_id, array_to_tsvector(search_words(concat_ws(' ', NEW.name, NEW.email))))
    ON CONFLICT (account_id) DO UPDATE SET words = excluded.words;
    RETURN NULL;
END
$$;
-- Last of all of accounts, because it makes their writers wait until this is committed; then what came meanwhile.
CREATE TRIGGER accounts_note_words AFTER INSERT OR UPDATE OF name, email ON accounts
    FOR EACH ROW EXECUTE FUNCTION note_account_words();
INSERT INTO account_words (account_id, words)
SELECT account_id, array_to_tsvector(search_words(concat_ws(' ', name, email)))
FROM accounts
WHERE NOT EXISTS (SELECT FROM account_words AS known WHERE known.account_id = accounts.account_id)
ON CONFLICT (account_id) DO NOTHING;

CREATE INDEX api_keys_by_prefix ON api_keys (prefix text_pattern_ops, account_id);
CREATE INDEX audit_latest ON audit (at DESC, audit_id DESC);
CREATE INDEX mail_events_latest ON mail_events (recorded_at DESC, mail_event_id DESC);
