//! Frames (RFC 6455, 5.2) in bytes that come in any pieces. Of a frame only its head is ever kept, 13 bytes at most.

use bytes::Bytes;

/// No frame that every server reads in the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub last: bool,
    pub opcode: u8,
    pub masked: bool,
    pub payload: u64,
    /// Its own length.
    pub bytes: usize,
}

/// One direction of a connection.
#[derive(Default)]
pub struct Frames {
    /// Of the payload of the current frame.
    left: u64,
    /// The beginning of a head.
    kept: Bytes,
    /// Where frames begin can't be known any more.
    lost: bool,
}

impl Frames {
    /// What was kept and what came; and where the latter begins.
    pub fn join(&mut self, piece: Bytes) -> (Bytes, usize) {
        let kept = std::mem::take(&mut self.kept);
        if kept.is_empty() { (piece, 0) } else { (Bytes::from([&kept[..], &piece].concat()), kept.len()) }
    }

    /// The head that stands next, which `at` is moved to; whoever takes it says so by [`Self::enter`]. `None` when there is none as yet.
    pub fn next(&mut self, buffer: &Bytes, at: &mut usize) -> Result<Option<Head>, Malformed> {
        if self.skip(buffer, at) { self.head(buffer, *at) } else { Ok(None) }
    }

    pub fn enter(&mut self, head: &Head) {
        self.left = head.payload;
    }

    /// Follows what goes by in any case; answers the first place in it at which a frame has ended and no other begun.
    pub fn follow(&mut self, piece: Bytes) -> Option<usize> {
        if self.lost {
            return None;
        }
        let (buffer, begins) = self.join(piece);
        let (mut at, mut first) = (0, None);
        while self.skip(&buffer, &mut at) {
            first = first.or_else(|| at.checked_sub(begins));
            match self.head(&buffer, at) {
                Ok(Some(head)) => {
                    at += head.bytes;
                    self.enter(&head);
                }
                Ok(None) => break,
                Err(Malformed) => {
                    self.lost = true;
                    break;
                }
            }
        }
        first
    }

    /// Goes over the rest of a payload; whether it is over.
    fn skip(&mut self, buffer: &Bytes, at: &mut usize) -> bool {
        let payload = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len() - *at);
        *at += payload;
        self.left -= payload as u64;
        self.left == 0
    }

    fn head(&mut self, buffer: &Bytes, at: usize) -> Result<Option<Head>, Malformed> {
        let head = head(&buffer[at..])?;
        if head.is_none() {
            // A copy, so that a few bytes don't hold a whole buffer.
            self.kept = Bytes::copy_from_slice(&buffer[at..]);
        }
        Ok(head)
    }

    /// Whether a frame has ended and no other begun.
    pub fn is_between(&self) -> bool {
        self.left == 0 && self.kept.is_empty() && !self.lost
    }
}

/// `None` when it is not whole. A length must be written in the shortest way.
fn head(bytes: &[u8]) -> Result<Option<Head>, Malformed> {
    let [first, second, rest @ ..] = bytes else { return Ok(None) };
    let extended = match second & 0x7f {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    let Some(digits) = rest.get(..extended) else { return Ok(None) };
    let payload = match extended {
        0 => u64::from(second & 0x7f),
        _ => digits.iter().fold(0, |number, digit| number << 8 | u64::from(*digit)),
    };
    let shortest = match extended {
        0 => true,
        2 => payload > 125,
        _ => payload > u64::from(u16::MAX) && payload < 1 << 63,
    };
    if !shortest {
        return Err(Malformed);
    }
    let masked = second & 0x80 != 0;
    let length = 2 + extended + if masked { 4 } else { 0 };
    let head = Head { last: first & 0x80 != 0, opcode: first & 0x0f, masked, payload, bytes: length };
    Ok((bytes.len() >= length).then_some(head))
}
