//! The live balance in Redis.
