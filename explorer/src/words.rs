//! The steps, in words.

use std::fmt;

/// Who owns: the first process or the second.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Who(pub usize);

/// Which request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Request(pub usize);

/// One step from one state to the next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    Gateway(Request, &'static str),
    Owner(Who, &'static str),
    /// As `Owner`, with the row, sequence or certification it is about.
    OwnerOf(Who, &'static str, u8),
    World(&'static str),
}

#[cfg(test)]
impl Step {
    /// What happens, without who and which.
    pub const fn what(&self) -> &'static str {
        match self {
            Self::Gateway(_, what) | Self::Owner(_, what) | Self::OwnerOf(_, what, _) | Self::World(what) => what,
        }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(if self.0 == 0 { "owner A" } else { "owner B" })
    }
}

impl fmt::Display for Request {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "request {}", self.0 + 1)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gateway(request, what) => write!(to, "{request}: {what}"),
            Self::Owner(who, what) => write!(to, "{who} {what}"),
            Self::OwnerOf(who, what, number) => write!(to, "{who} {what} {number}"),
            Self::World(what) => to.write_str(what),
        }
    }
}
