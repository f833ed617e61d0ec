-- Notes that a debit is to be undone, or of a hold that was settled all but `kept` (else nil): the op can't draw any more, and the book decides what it may have drawn.
local function mark_undo(shard, a, id, op, debit_op, not_after, kept, closed, mark)
  a.seq, a.undos = a.seq + 1, a.undos + 1
  append(shard, KEYS[2], 'k', 'undo', 'op', op, 'a', id, 'q', text(a.seq), 't', text(shard.now), 'of', debit_op, 'na', not_after, unpack(kept and { 'kp', text(kept) } or {}))
  redis.call('SET', closed, 'undo')
  free_mark(mark, debit_op)
  save_account(a)
  leave(shard)
end
