//! Enums that stand in the book as a word.

/// An enum with a word for each of its values, and the way back.
macro_rules! words {
    ($(#[$outer:meta])* $name:ident, $what:literal, $($(#[$doc:meta])* $value:ident => $word:literal),+ $(,)?) => {
        $(#[$outer])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[$doc])* $value),+
        }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$value),+];

            /// The word for it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$value => $word),+ }
            }

            /// The value that a word stands for.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$value),)+ _ => None }
            }
        }

        impl TryFrom<&str> for $name {
            type Error = crate::LedgerError;

            /// The value of a word in the book.
            fn try_from(word: &str) -> Result<Self, crate::LedgerError> {
                Self::from_word(word)
                    .ok_or_else(|| crate::LedgerError::Corrupt(format!(concat!("the ", $what, " '{}'"), word)))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

pub(crate) use words;
