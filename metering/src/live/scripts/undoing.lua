-- Notes that a debit is to be undone: the op can't draw any more, and the book decides what it may have drawn.
local function mark_undo(shard, a, id, op, debit_op, not_after, closed)
  a.seq, a.undos = a.seq + 1, a.undos + 1
  append(shard, KEYS[2], 'k', 'undo', 'op', op, 'a', id, 'q', text(a.seq), 't', text(shard.now), 'of', debit_op, 'na', not_after)
  redis.call('SET', closed, 'undo')
  save_account(a)
  leave(shard)
end
