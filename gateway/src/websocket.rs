//! The messages of a WebSocket whose caller pays for each: what both sides say is followed frame by frame, and never changed.

mod frames;

use bytes::{BufMut, Bytes, BytesMut};

pub use frames::Malformed;
use frames::{Frames, Head};

/// RFC 6455, 7.4.1, and 1013 of the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseCode {
    ProtocolError = 1002,
    PolicyViolation = 1008,
    TryAgainLater = 1013,
}

#[derive(Default)]
pub struct Messages {
    from_caller: Frames,
    to_caller: Frames,
    /// Whether the caller is in the middle of a message of several frames.
    open: bool,
    state: State,
    /// What was paid and went on, for the log line.
    pub paid: Paid,
}

#[derive(Default)]
pub struct Paid {
    pub messages: u64,
    pub credits: u64,
    pub remaining: Option<u64>,
}

#[derive(Default)]
enum State {
    #[default]
    Open,
    /// The caller is to be told so as soon as the upstream's frame is over.
    Closing(Bytes),
    Closed,
}

/// What stands next in the bytes of a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// A message begins at this place.
    Message(usize),
    /// Up to this place everything may go on; the rest is the beginning of a frame's head, and is kept.
    End(usize),
}

impl Messages {
    pub fn is_closed(&self) -> bool {
        !matches!(self.state, State::Open)
    }

    /// What has come, behind what was kept. [`Self::next`] goes through it.
    pub fn take(&mut self, piece: Bytes) -> Bytes {
        self.from_caller.join(piece).0
    }

    /// `at`: how far the buffer was gone through; at a frame that is wrong it stays before it.
    pub fn next(&mut self, buffer: &Bytes, at: &mut usize) -> Result<Next, Malformed> {
        loop {
            let Some(head) = self.from_caller.next(buffer, at)? else { return Ok(Next::End(*at)) };
            let begins = self.judge(&head)?;
            let frame_at = *at;
            *at += head.bytes;
            self.from_caller.enter(&head);
            if begins {
                return Ok(Next::Message(frame_at));
            }
        }
    }

    /// Whether a message begins. What servers may read in more than one way is refused, since it could hide one.
    fn judge(&mut self, head: &Head) -> Result<bool, Malformed> {
        if !head.masked {
            return Err(Malformed);
        }
        match head.opcode {
            0 if self.open => {
                self.open = !head.last;
                Ok(false)
            }
            1 | 2 if !self.open => {
                self.open = !head.last;
                Ok(true)
            }
            8..=10 if head.last && head.payload <= 125 => Ok(false),
            _ => Err(Malformed),
        }
    }

    /// Nothing more of the caller goes on. What the caller is to be told now, if nothing of the upstream's is in the way.
    pub fn close(&mut self, code: CloseCode, reason: &str) -> Option<Bytes> {
        let frame = close_frame(code, reason, None);
        if self.to_caller.is_between() {
            self.state = State::Closed;
            return Some(frame);
        }
        self.state = State::Closing(frame);
        None
    }

    /// The next piece of the upstream's side goes by.
    pub fn answer(&mut self, piece: &mut Option<Bytes>) {
        let Some(bytes) = piece.take() else { return };
        *piece = Some(match std::mem::take(&mut self.state) {
            State::Open => {
                self.to_caller.follow(bytes.clone());
                bytes
            }
            State::Closed => {
                self.state = State::Closed;
                Bytes::new()
            }
            State::Closing(frame) => {
                if let Some(end) = self.to_caller.follow(bytes.clone()) {
                    self.state = State::Closed;
                    Bytes::from([&bytes[..end], &frame].concat())
                } else {
                    self.state = State::Closing(frame);
                    bytes
                }
            }
        });
    }
}

/// `mask`: what a frame towards a server needs. The reason is a code of ours, which fits.
pub fn close_frame(code: CloseCode, reason: &str, mask: Option<[u8; 4]>) -> Bytes {
    let reason = &reason.as_bytes()[..reason.len().min(123)];
    let payload = [&(code as u16).to_be_bytes()[..], reason].concat();
    let length = u8::try_from(payload.len()).unwrap_or(125);
    let mut frame = BytesMut::with_capacity(payload.len() + 6);
    frame.put_u8(0x88);
    match mask {
        None => {
            frame.put_u8(length);
            frame.put_slice(&payload);
        }
        Some(key) => {
            frame.put_u8(0x80 | length);
            frame.put_slice(&key);
            frame.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
        }
    }
    frame.freeze()
}

#[cfg(test)]
mod tests;
