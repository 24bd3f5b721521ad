//! A client over one connection that is kept: sockets and nothing else, so that a load generator
//! costs little beside what it measures.

use std::io::{self, Read, Write};
use std::net::TcpStream;

/// One connection.
pub(crate) struct Client {
    stream: TcpStream,
    request: Vec<u8>,
    answer: Vec<u8>,
}

impl Client {
    /// Connects to `host:port`.
    pub(crate) fn connect(address: &str) -> io::Result<Client> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Client {
            stream,
            request: Vec::new(),
            answer: Vec::new(),
        })
    }

    /// Posts a body; the answer's status and body.
    pub(crate) fn post(&mut self, path: &str, body: &[u8]) -> io::Result<(u16, &[u8])> {
        self.request.clear();
        write!(
            self.request,
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n",
            body.len()
        )?;
        self.request.extend_from_slice(body);
        self.exchange()
    }

    /// Gets a page; the answer's status and body.
    pub(crate) fn get(&mut self, path: &str) -> io::Result<(u16, &[u8])> {
        self.request.clear();
        write!(
            self.request,
            "GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"
        )?;
        self.exchange()
    }

    fn exchange(&mut self) -> io::Result<(u16, &[u8])> {
        self.stream.write_all(&self.request)?;
        self.answer.clear();
        loop {
            if let Some((status, from, to)) = complete(&self.answer)? {
                return Ok((status, &self.answer[from..to]));
            }
            let mut chunk = [0; 8_192];
            let read = self.stream.read(&mut chunk)?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.answer.extend_from_slice(&chunk[..read]);
        }
    }
}

/// The status of an answer and where its body lies, once it is all there.
fn complete(answer: &[u8]) -> io::Result<Option<(u16, usize, usize)>> {
    let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else {
        return Ok(None);
    };
    let invalid = || io::Error::new(io::ErrorKind::InvalidData, "not an HTTP answer");
    let head = std::str::from_utf8(&answer[..end]).map_err(|_| invalid())?;
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let wanted = name.eq_ignore_ascii_case("content-length");
        wanted.then(|| value.trim().parse::<usize>().ok()).flatten()
    });
    let (status, length) = (status.ok_or_else(invalid)?, length.ok_or_else(invalid)?);
    let (from, to) = (end + 4, end + 4 + length);
    Ok((answer.len() >= to).then_some((status, from, to)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_complete_once_its_body_is_there() {
        let whole = b"HTTP/1.1 409 Conflict\r\ncontent-length: 3\r\n\r\nabc";
        assert_eq!(complete(whole).unwrap(), Some((409, 44, 47)));
        assert_eq!(complete(&whole[..46]).unwrap(), None);
        assert_eq!(complete(&whole[..20]).unwrap(), None);
        assert!(complete(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
