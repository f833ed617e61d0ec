//! What a service may want to count.

/// Told of what happens; `()` counts nothing.
pub trait Watch: Send + Sync {
    fn looked_up(&self, how: Lookup);

    /// The keys were read, and are this many now.
    fn keys_read(&self, keys: usize);
}

impl Watch for () {
    fn looked_up(&self, _how: Lookup) {}

    fn keys_read(&self, _keys: usize) {}
}

/// How a token was judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// Good, and verified before.
    Hit,
    /// Good, verified now.
    Verified,
    Refused,
}

impl Lookup {
    /// In the order of the enum.
    pub const ALL: [Self; 3] = [Self::Hit, Self::Verified, Self::Refused];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Verified => "verified",
            Self::Refused => "refused",
        }
    }
}
