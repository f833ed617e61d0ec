-- Owners of shards make and count partitions of entries. Both are done as the owner of the schema, so that their role needs no right to change it.
ALTER FUNCTION ensure_entry_partition(timestamptz) SECURITY DEFINER SET search_path = public, pg_temp;

-- A partition nobody has counted yet is taken for one in which every op stands many times, and looking ops up there reads far too much.
-- Autovacuum counts it within some minutes; under load that is late.
CREATE FUNCTION analyze_young_partitions() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    young regclass;
BEGIN
    FOR young IN
        SELECT partition.oid
        FROM pg_inherits
        JOIN pg_class AS partition ON partition.oid = pg_inherits.inhrelid
        WHERE pg_inherits.inhparent = 'entries'::regclass
          AND partition.reltuples < 0
          AND pg_relation_size(partition.oid) >= 1024 * 1024
    LOOP
        EXECUTE format('ANALYZE %s', young);
    END LOOP;
END
$$;
COMMENT ON FUNCTION analyze_young_partitions IS 'Counts partitions of entries that have grown and were never counted; cheap where there are none.';
