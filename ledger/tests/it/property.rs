//! Whatever happens, in whatever batches it is drained: the book ends up as live state is, lot by lot.
