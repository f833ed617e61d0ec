-- Open letters of a shard that are poison by themselves, as far as $2, without those that a decision gives up which is yet to be carried out.
SELECT count(*)
FROM (
    SELECT
    FROM dead_letters AS letter
    WHERE letter.shard = $1 AND letter.state = 'open' AND NOT letter.follows
      AND NOT EXISTS (
          SELECT FROM dead_letter_decisions AS decision
          WHERE decision.shard = letter.shard AND decision.incarnation = letter.incarnation
            AND decision.state IN ('asked', 'applied') AND letter.sequence = ANY (decision.discarded))
    LIMIT $2
) AS letters
