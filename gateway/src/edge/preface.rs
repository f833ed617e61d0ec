//! Which protocol a connection speaks: HTTP/2 begins with a text of its own, and no request of HTTP/1 begins like it.

use std::io;

use tokio::io::AsyncReadExt;

use super::HeaderDeadline;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

impl HeaderDeadline {
    /// Reads as far as needed to tell, within the time for a header; what was read is read again by whoever comes next.
    pub async fn find_http2(&mut self) -> io::Result<bool> {
        let mut ahead = Vec::with_capacity(PREFACE.len());
        while ahead.len() < PREFACE.len() && PREFACE.starts_with(&ahead) {
            let mut piece = [0; PREFACE.len()];
            let room = PREFACE.len() - ahead.len();
            match self.read(&mut piece[..room]).await? {
                0 => break,
                read => ahead.extend_from_slice(&piece[..read]),
            }
        }
        let found = ahead == PREFACE;
        self.read_ahead(ahead, found);
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use pingora::protocols::l4::stream::Stream;
    use pingora::protocols::{ALPN, Ssl};
    use tokio::io::AsyncWriteExt;
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    /// What is found on a connection that begins with these pieces, and what is read from it afterwards.
    async fn found(pieces: &[&[u8]]) -> (bool, Vec<u8>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut caller = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        caller.set_nodelay(true).unwrap();
        let (accepted, _) = listener.accept().await.unwrap();
        let mut stream = HeaderDeadline::new(Box::new(Stream::from(accepted)), Duration::from_secs(5));
        let told = async {
            for piece in pieces {
                caller.write_all(piece).await.unwrap();
                tokio::task::yield_now().await;
            }
            drop(caller);
        };
        let ((), found) = tokio::join!(told, stream.find_http2());
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.unwrap();
        assert_eq!(stream.selected_alpn_proto() == Some(ALPN::H2), *found.as_ref().unwrap());
        (found.unwrap(), rest)
    }

    #[tokio::test]
    async fn only_the_whole_preface_is_http2_and_nothing_of_it_is_lost() {
        let whole = [PREFACE, b"rest"].concat();
        assert_eq!(found(&[&whole]).await, (true, whole.clone()));
        assert_eq!(found(&[&whole[..1], &whole[1..20], &whole[20..]]).await, (true, whole.clone()));
        for other in
            [&b"GET / HTTP/1.1\r\n\r\n"[..], b"POST / HTTP/1.1\r\n\r\n", b"G", b"", b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n"]
        {
            assert_eq!(found(&[other]).await, (false, other.to_vec()));
        }
    }
}
