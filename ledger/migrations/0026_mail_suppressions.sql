-- Addresses that nothing is sent to any more.
CREATE TABLE mail_suppressions (
    address text COLLATE "C" NOT NULL,
    reason text NOT NULL,
    detail text,
    mail_id bigint,
    actor text NOT NULL,
    at timestamptz NOT NULL,
    CONSTRAINT mail_suppressions_pkey PRIMARY KEY (address),
    CONSTRAINT mail_suppressions_mail_exists FOREIGN KEY (mail_id) REFERENCES mails (mail_id),
    CONSTRAINT mail_suppressions_address_length CHECK (octet_length(address) BETWEEN 3 AND 320),
    CONSTRAINT mail_suppressions_reason_known CHECK (reason IN ('bounced', 'complained', 'operator')),
    CONSTRAINT mail_suppressions_detail_length CHECK (char_length(detail) <= 2000)
);
COMMENT ON TABLE mail_suppressions IS 'Addresses that do not exist, or whose owner wants no mail: kept until an operator takes them out. Changes are in audit.';
COMMENT ON COLUMN mail_suppressions.address IS 'In lower case, whole: two addresses that differ in case alone are taken for one.';
COMMENT ON COLUMN mail_suppressions.mail_id IS 'The mail that told; null where an operator did.';
