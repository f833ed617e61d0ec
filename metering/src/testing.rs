//! Starters for tests: a private Redis.
