-- A key's entry must be written again; whoever carries the row reads the key as it then is.
INSERT INTO outbox (shard_kind, shard, account_id, kind, digest)
VALUES ('keys', $1, $2, 'key_written', $3)
