-- What each program may do to the book: run as tollgate_owner after each `tollgate migrate`, before the new release starts. It begins by taking
-- everything back, in one transaction, so that what stands here is all there is.
--
-- Nobody but the owner may change the schema or empty a table, and nobody at all changes an entry, an audit row or a mail's event. Where a program
-- only locks rows, it has UPDATE on one column of them: Postgres asks for that much.

BEGIN;

REVOKE ALL ON ALL TABLES IN SCHEMA public FROM
    PUBLIC, tollgate_ledger_sync, tollgate_webhook, tollgate_console, tollgate_notices, tollgate_operator;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM
    PUBLIC, tollgate_ledger_sync, tollgate_webhook, tollgate_console, tollgate_notices, tollgate_operator;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM
    PUBLIC, tollgate_ledger_sync, tollgate_webhook, tollgate_console, tollgate_notices, tollgate_operator;

-- Whether the schema and the shards are those that a program knows.
GRANT SELECT ON _sqlx_migrations, install, shards
    TO tollgate_ledger_sync, tollgate_webhook, tollgate_console, tollgate_notices, tollgate_operator;

-- ledger-sync records what live state did. It makes no key, account or lot, and of Stripe it knows the address of who paid.
GRANT SELECT ON accounts, api_keys, lots, outbox, session_versions, notice_settings, stripe_customers, stripe_checkouts, stripe_clawbacks
    TO tollgate_ledger_sync;
GRANT UPDATE ON accounts, lots, outbox, shards TO tollgate_ledger_sync;
GRANT UPDATE (certification) ON install TO tollgate_ledger_sync;
GRANT UPDATE (last_used_at) ON api_keys TO tollgate_ledger_sync;
GRANT SELECT, INSERT ON entries, outcomes, seq_gaps, incidents, account_marks, lot_marks TO tollgate_ledger_sync;
GRANT INSERT ON outbox, audit, mail_events TO tollgate_ledger_sync;
GRANT USAGE ON SEQUENCE entry_numbers TO tollgate_ledger_sync;
GRANT SELECT, INSERT, UPDATE ON dead_letters, dead_letter_decisions, undos, losses, verified, key_days, usage_days, usage_cursors,
    journal_runs, journal_gaps, mails TO tollgate_ledger_sync;
GRANT SELECT, INSERT, UPDATE, DELETE ON holds, idempotency_marks, owners, journal_debits, journal_returns, refusals TO tollgate_ledger_sync;
GRANT EXECUTE ON FUNCTION ensure_entry_partition, analyze_young_partitions, credits_left, payer_email TO tollgate_ledger_sync;

-- What follows from Stripe's word: webhook does it when a delivery says so, console and `tollgate` when they mend a difference. All three decide about
-- accounts and lots, which live state then has to take from the outbox.
GRANT SELECT ON accounts, lots, outbox, entries TO tollgate_webhook, tollgate_console, tollgate_operator;
GRANT UPDATE ON accounts, lots TO tollgate_webhook, tollgate_console, tollgate_operator;
GRANT INSERT ON lots, outbox, entries, audit TO tollgate_webhook, tollgate_console, tollgate_operator;
GRANT USAGE ON SEQUENCE entry_numbers TO tollgate_webhook, tollgate_console, tollgate_operator;
GRANT SELECT, INSERT, UPDATE ON stripe_customers, stripe_checkouts, stripe_links, stripe_payments, stripe_reversals, stripe_clawbacks,
    stripe_subscriptions, stripe_subscription_reports, stripe_offers, stripe_reconciled TO tollgate_webhook, tollgate_console, tollgate_operator;
GRANT SELECT, UPDATE ON stripe_deliveries TO tollgate_webhook, tollgate_console, tollgate_operator;
GRANT SELECT, INSERT, UPDATE ON mails TO tollgate_webhook, tollgate_console, tollgate_operator;
GRANT SELECT, INSERT ON mail_events, mail_suppressions TO tollgate_webhook, tollgate_console, tollgate_operator;
GRANT EXECUTE ON FUNCTION payer_email TO tollgate_webhook, tollgate_console, tollgate_operator;

-- webhook alone takes deliveries. An account's status stands with each of its keys in live state, too, so that they are written again.
GRANT INSERT ON stripe_deliveries TO tollgate_webhook;
GRANT SELECT (account_id, key_shard, digest, revoked_at, expires_at) ON api_keys TO tollgate_webhook;

-- console and `tollgate` read everything, and do what people of an account and operators may.
GRANT SELECT ON ALL TABLES IN SCHEMA public TO tollgate_console, tollgate_operator;
GRANT INSERT, UPDATE ON api_keys, dead_letter_decisions TO tollgate_console, tollgate_operator;
GRANT DELETE ON mail_suppressions TO tollgate_console, tollgate_operator;
GRANT INSERT, UPDATE ON notice_settings TO tollgate_console;
GRANT INSERT, UPDATE, DELETE ON console_writes TO tollgate_console;
GRANT EXECUTE ON FUNCTION credits_left, search_words, search_beginnings TO tollgate_console, tollgate_operator;

-- Accounts are made, and sessions ended, by `tollgate`.
GRANT INSERT ON accounts TO tollgate_operator;
GRANT INSERT, UPDATE ON account_words TO tollgate_operator;
GRANT INSERT, UPDATE, DELETE ON session_versions TO tollgate_operator;

-- notices sends mails. It changes nothing that has to do with money.
GRANT SELECT ON accounts, lots, notice_settings, stripe_customers, stripe_checkouts TO tollgate_notices;
GRANT SELECT, INSERT, UPDATE ON mails, notice_switches TO tollgate_notices;
GRANT SELECT, INSERT ON mail_events, mail_suppressions TO tollgate_notices;
GRANT INSERT ON audit TO tollgate_notices;
GRANT EXECUTE ON FUNCTION credits_left TO tollgate_notices;

COMMIT;
