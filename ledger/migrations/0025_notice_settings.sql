-- What an account wants to be told by mail, and where.
CREATE TABLE notice_settings (
    account_id uuid NOT NULL,
    low_balance boolean NOT NULL,
    lifecycle boolean NOT NULL,
    recipients text[] NOT NULL DEFAULT '{}',
    version bigint NOT NULL,
    CONSTRAINT notice_settings_pkey PRIMARY KEY (account_id),
    CONSTRAINT notice_settings_account_exists FOREIGN KEY (account_id) REFERENCES accounts (account_id),
    CONSTRAINT notice_settings_version_counts CHECK (version > 0),
    CONSTRAINT notice_settings_recipients_few CHECK (cardinality(recipients) <= 10)
);
COMMENT ON TABLE notice_settings IS 'One row for an account that has chosen; without one both kinds of notices are on and go to its own address. Changes are in audit.';
COMMENT ON COLUMN notice_settings.recipients IS 'Empty = the address of the mail itself, else that of the account.';
COMMENT ON COLUMN notice_settings.version IS 'Raised by each change: whoever changes what has been changed meanwhile is refused.';

-- What the installation sends at all, as the service that sends tells.
CREATE TABLE notice_switches (
    only_one boolean NOT NULL DEFAULT true,
    low_balance boolean NOT NULL,
    lifecycle boolean NOT NULL,
    told_at timestamptz NOT NULL,
    CONSTRAINT notice_switches_pkey PRIMARY KEY (only_one),
    CONSTRAINT notice_switches_only_one CHECK (only_one)
);
COMMENT ON TABLE notice_switches IS 'At most one row; none until a service that sends mails has run. Its settings are what counts: this is for people.';
COMMENT ON COLUMN notice_switches.told_at IS 'Told again and again while it runs.';
