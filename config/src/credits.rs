//! The largest number of credits a setting may name.

/// 2^53 − 1: beyond it the numbers of Lua and JSON lose exactness, so no price and no balance may pass it.
pub const CREDITS_MAX: u64 = (1 << 53) - 1;
