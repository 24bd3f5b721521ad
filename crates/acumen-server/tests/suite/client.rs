//! A client that keeps its connection and knows just enough of HTTP.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;

/// A connection that is kept for one request after the other.
pub(crate) struct Client {
    stream: BufReader<TcpStream>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Client {
    pub(crate) fn to(address: SocketAddr) -> Client {
        Client {
            stream: BufReader::new(TcpStream::connect(address).unwrap()),
        }
    }

    pub(crate) fn get(&mut self, path: &str) -> Answer {
        self.ask("GET", path, b"")
    }

    pub(crate) fn post(&mut self, path: &str, body: impl AsRef<[u8]>) -> Answer {
        self.ask("POST", path, body.as_ref())
    }

    pub(crate) fn ask(&mut self, method: &str, path: &str, body: &[u8]) -> Answer {
        self.send(method, path, body);
        self.answer().unwrap()
    }

    pub(crate) fn send(&mut self, method: &str, path: &str, body: &[u8]) {
        let mut request = head(method, path, body.len(), "").into_bytes();
        request.extend_from_slice(body);
        self.stream.get_mut().write_all(&request).unwrap();
    }

    /// Says how long the body will be and waits for what the server thinks of it.
    pub(crate) fn announce(&mut self, path: &str, bytes: usize) -> Answer {
        let head = head("POST", path, bytes, "Expect: 100-continue\r\n");
        self.stream.get_mut().write_all(head.as_bytes()).unwrap();
        self.answer().unwrap()
    }

    /// Sends half of a body and hangs up.
    pub(crate) fn hang_up(mut self, path: &str, body: &[u8]) {
        let head = head("POST", path, body.len() * 2, "");
        self.stream.get_mut().write_all(head.as_bytes()).unwrap();
        self.stream.get_mut().write_all(body).unwrap();
    }

    pub(crate) fn answer(&mut self) -> std::io::Result<Answer> {
        let (mut head, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line)? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            if line == "\r\n" {
                break;
            }
            let line = line.to_ascii_lowercase();
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            head.push_str(&line);
        }
        let status = head[9..12].parse().unwrap();
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok(Answer { status, head, body })
    }
}

fn head(method: &str, path: &str, bytes: usize, more: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: here\r\nContent-Length: {bytes}\r\n{more}\r\n")
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    /// The status, the code and the message of a refusal, which must say what to do.
    pub(crate) fn problem(&self) -> (u16, String, String) {
        let json = self.json();
        let text = |key: &str| {
            let text = json[key]
                .as_str()
                .unwrap_or_else(|| panic!("no {key}: {json}"));
            assert!(!text.is_empty(), "{key} is empty: {json}");
            text.to_owned()
        };
        (
            self.status,
            text("code"),
            text("message") + ": " + &text("help"),
        )
    }
}
