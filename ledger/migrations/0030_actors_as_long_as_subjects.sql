-- Whoever has a session can be named in the audit: a subject has up to 256 letters.
ALTER TABLE audit DROP CONSTRAINT audit_actor_named;
ALTER TABLE audit ADD CONSTRAINT audit_actor_named CHECK (char_length(actor) BETWEEN 1 AND 256) NOT VALID;
ALTER TABLE audit VALIDATE CONSTRAINT audit_actor_named;
