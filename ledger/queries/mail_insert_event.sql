-- One fact about a mail, or about a message that is none of ours; what a provider delivers twice is kept once.
INSERT INTO mail_events (mail_id, what, address, code, detail, actor, provider, provider_event, message_id, at, recorded_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT ON CONSTRAINT mail_events_once DO NOTHING
