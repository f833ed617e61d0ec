//! A caller's connection that is kept: one request after the other, each answer read to its end or to its deadline.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

const CONNECT_LIMIT: Duration = Duration::from_secs(3);
/// Longer than anything stands still in a run.
const ANSWER_LIMIT: Duration = Duration::from_secs(20);
/// How long one look at the connection may take before the deadline is looked at.
const READ_LIMIT: Duration = Duration::from_secs(1);
const HEAD_BYTES_MAX: usize = 64 * 1024;
const BODY_BYTES_MAX: usize = 1024 * 1024;

/// What a caller got.
#[derive(Default)]
pub struct Told {
    /// 0 = no answer.
    pub status: u16,
    /// The header's lines, names in small letters.
    head: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Whether the answer came to its end.
    pub whole: bool,
    /// Whether the request may have reached anybody.
    pub sent: bool,
}

impl Told {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

pub struct Line {
    port: u16,
    stream: Option<BufReader<TcpStream>>,
}

impl Line {
    pub fn to(port: u16) -> Line {
        Line { port, stream: None }
    }

    /// Sends a request and reads its answer; never sends it twice.
    pub fn call(&mut self, request: &[u8]) -> Told {
        let mut told = Told::default();
        let Some(mut stream) = self.stream.take().or_else(|| self.connect()) else { return told };
        told.sent = true;
        let deadline = Instant::now() + ANSWER_LIMIT;
        if stream.get_mut().write_all(request).is_ok() && read(&mut stream, &mut told, deadline).is_some() {
            told.whole = true;
            let closes = told.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
            self.stream = (!closes).then_some(stream);
        }
        told
    }

    fn connect(&self) -> Option<BufReader<TcpStream>> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let stream = TcpStream::connect_timeout(&address, CONNECT_LIMIT).ok()?;
        stream.set_nodelay(true).ok()?;
        stream.set_read_timeout(Some(READ_LIMIT)).ok()?;
        stream.set_write_timeout(Some(ANSWER_LIMIT)).ok()?;
        Some(BufReader::new(stream))
    }
}

/// An answer to its end; `None` where it broke off.
fn read(stream: &mut BufReader<TcpStream>, told: &mut Told, deadline: Instant) -> Option<()> {
    let first = line(stream, deadline)?;
    let status = first.split(' ').nth(1)?.parse().ok()?;
    let mut bytes = first.len();
    loop {
        let text = line(stream, deadline)?;
        if text.is_empty() {
            break;
        }
        bytes += text.len();
        if bytes > HEAD_BYTES_MAX {
            return None;
        }
        let (name, value) = text.split_once(':')?;
        told.head.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    told.status = status;
    if told.header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
        return chunks(stream, &mut told.body, deadline);
    }
    let length = told.header("content-length")?.parse().ok()?;
    exactly(stream, &mut told.body, length, deadline)
}

fn chunks(stream: &mut BufReader<TcpStream>, body: &mut Vec<u8>, deadline: Instant) -> Option<()> {
    loop {
        let size = line(stream, deadline)?;
        let size = usize::from_str_radix(size.split(';').next()?.trim(), 16).ok()?;
        exactly(stream, body, size, deadline)?;
        // Behind a chunk stands an empty line; behind the last one, too: we are sent no trailers.
        if !line(stream, deadline)?.is_empty() {
            return None;
        }
        if size == 0 {
            return Some(());
        }
    }
}

fn line(stream: &mut BufReader<TcpStream>, deadline: Instant) -> Option<String> {
    let mut text = Vec::new();
    while !text.ends_with(b"\n") {
        match stream.by_ref().take(8 * 1024).read_until(b'\n', &mut text) {
            Ok(0) => return None,
            Ok(_) if text.len() > HEAD_BYTES_MAX => return None,
            Err(err) if !is_only_late(&err) || Instant::now() >= deadline => return None,
            Ok(_) | Err(_) => {}
        }
    }
    String::from_utf8(text).ok().map(|text| text.trim_end().to_owned())
}

fn exactly(stream: &mut BufReader<TcpStream>, body: &mut Vec<u8>, more: usize, deadline: Instant) -> Option<()> {
    let end = body.len().checked_add(more).filter(|end| *end <= BODY_BYTES_MAX)?;
    let mut part = [0; 4096];
    while body.len() < end {
        let most = part.len().min(end - body.len());
        match stream.read(&mut part[..most]) {
            Ok(0) => return None,
            Ok(count) => body.extend_from_slice(&part[..count]),
            Err(err) if !is_only_late(&err) || Instant::now() >= deadline => return None,
            Err(_) => {}
        }
    }
    Some(())
}

fn is_only_late(err: &std::io::Error) -> bool {
    matches!(err.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// A server that says each of these on the connections it gets, one after the other.
    fn saying(answers: &'static [&'static str]) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            for answer in answers {
                let _ = stream.read(&mut [0; 1024]);
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        port
    }

    #[test]
    fn answers_are_read_to_their_end_on_one_connection() {
        let mut line = Line::to(saying(&[
            "HTTP/1.1 200 OK\r\nRequest-Id: one\r\nContent-Length: 2\r\n\r\nhi",
            "HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
        ]));
        let told = line.call(b"x");
        assert_eq!(
            (told.status, told.whole, told.header("request-id"), told.body.as_slice()),
            (200, true, Some("one"), &b"hi"[..])
        );
        let told = line.call(b"x");
        assert_eq!((told.status, told.whole, told.body.as_slice()), (503, true, &b"abc"[..]));
        let told = line.call(b"x");
        assert_eq!((told.status, told.whole, told.sent), (200, false, true), "its head came, its body broke off");
    }

    #[test]
    fn nobody_there_is_no_answer_and_nothing_sent() {
        let told = Line::to(1).call(b"x");
        assert_eq!((told.status, told.whole, told.sent), (0, false, false));
    }
}
