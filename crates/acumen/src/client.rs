//! The other side of the server: a small HTTP/1.1 client that keeps its connection, and examples
//! of what to send.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use acumen_base::{EventType, FieldType, Time};
use serde_json::{Map, Value, json};

use crate::failure::{Failure, Outcome};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Bytes of the largest answer that is read.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// One connection, opened when it is needed and again when it was closed.
pub(crate) struct Client {
    address: SocketAddr,
    stream: Option<BufReader<TcpStream>>,
}

impl Client {
    /// A client of a server.
    pub(crate) fn new(address: SocketAddr) -> Client {
        Client {
            address,
            stream: None,
        }
    }

    /// Sends a body, and gives the status and the body of the answer.
    pub(crate) fn post(&mut self, path: &str, body: &[u8]) -> io::Result<(u16, Vec<u8>)> {
        self.ask("POST", path, body)
    }

    /// Asks, and gives the status and the body of the answer.
    pub(crate) fn get(&mut self, path: &str) -> io::Result<(u16, Vec<u8>)> {
        self.ask("GET", path, b"")
    }

    /// Asks for JSON; a refusal says what the server said.
    pub(crate) fn json(&mut self, method: &str, path: &str, body: &Value) -> Outcome<Value> {
        let answer = match method {
            "GET" => self.get(path),
            _ => self.post(path, body.to_string().as_bytes()),
        };
        let address = self.address;
        let (status, bytes) = answer.map_err(|error| {
            Failure::because(format!("no answer from the server at {address}: {error}"))
        })?;
        let json: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        if (200..300).contains(&status) {
            return Ok(json);
        }
        let said = |key: &str| json[key].as_str().unwrap_or_default().to_owned();
        Err(Failure::because(format!(
            "the server at {address} refused ({status}): {}: {}",
            said("message"),
            said("help")
        )))
    }

    fn ask(&mut self, method: &str, path: &str, body: &[u8]) -> io::Result<(u16, Vec<u8>)> {
        let answer = self.exchange(method, path, body);
        if answer.is_err() {
            self.stream = None;
        }
        answer
    }

    fn exchange(&mut self, method: &str, path: &str, body: &[u8]) -> io::Result<(u16, Vec<u8>)> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            closed => closed.insert(connect(self.address)?),
        };
        let mut request = Vec::with_capacity(body.len() + 160);
        write!(
            request,
            "{method} {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n",
            self.address,
            body.len()
        )?;
        request.extend_from_slice(body);
        stream.get_mut().write_all(&request)?;
        read_answer(stream)
    }
}

fn connect(address: SocketAddr) -> io::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(BufReader::new(stream))
}

fn read_answer(stream: &mut impl BufRead) -> io::Result<(u16, Vec<u8>)> {
    let broken = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            "the server closed the connection",
        ));
    }
    let status = line
        .split_whitespace()
        .nth(1)
        .and_then(|code| code.parse().ok());
    let status = status.ok_or_else(|| broken("the answer has no status"))?;
    let mut length = 0;
    loop {
        line.clear();
        stream.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        if name.eq_ignore_ascii_case("content-length") {
            length = value
                .trim()
                .parse()
                .map_err(|_| broken("the answer has no length"))?;
        }
    }
    if length > ANSWER_BYTES_MAX {
        return Err(broken("the answer is too long"));
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok((status, body))
}

/// An event of a type as one line of JSON, for people to try.
pub(crate) fn example(kind: &EventType, now: Time) -> Value {
    let now = Time(now.0 - now.0 % 1_000).to_string();
    let mut object = Map::new();
    object.insert(kind.id_field.clone(), json!("try-1"));
    object.insert(kind.time_field.clone(), json!(now));
    for field in kind.fields.iter().filter(|field| !field.optional) {
        let value = match field.kind {
            FieldType::Id => json!("id-1"),
            FieldType::Category | FieldType::Text => json!("a"),
            FieldType::Money => json!({"amount": "12.50", "currency": "GBP"}),
            FieldType::Int => json!(1),
            FieldType::Number => json!(1.5),
            FieldType::Bool => json!(true),
            FieldType::Time => json!(now),
            FieldType::Geo => json!({"lat": 51.5, "lon": -0.1, "accuracy_km": 1}),
        };
        match field.name.split_once('.') {
            Some((group, name)) => {
                let group = object.entry(group).or_insert_with(|| json!({}));
                group[name] = value;
            }
            None => drop(object.insert(field.name.clone(), value)),
        }
    }
    Value::Object(object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_to_their_length() {
        let text = b"HTTP/1.1 207 Multi-Status\r\nContent-Length: 3\r\nx: y\r\n\r\nabcHTTP/1.1 200";
        let (status, body) = read_answer(&mut &text[..]).unwrap();
        assert_eq!((status, body.as_slice()), (207, &b"abc"[..]));
        assert!(read_answer(&mut &b""[..]).is_err());
        assert!(read_answer(&mut &b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"[..]).is_err());
    }
}
