//! Events into a server that is running, over HTTP: each once, however often it is sent.

use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use acumen_base::{Body, Event, SourceMark, Time};
use acumen_engine::{EngineError, Folder, NotTaken, Plan, Rejected, Sink, Taken};
use acumen_event::LogReader;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::Client;
use crate::failure::{Failure, Outcome};

/// Events and bytes of one request.
const EVENTS_MAX: usize = 1_000;
const BYTES_MAX: usize = 2 * 1024 * 1024;

/// How long to wait when the server is busy or away: twice as long each time, so long in all.
const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server as the place where events go to.
pub(super) struct ServerSink {
    plan: Arc<Plan>,
    client: Client,
    address: SocketAddr,
    marks: Vec<SourceMark>,
    /// Its log, where it is at hand.
    log: Option<PathBuf>,
    refused: Vec<Value>,
}

/// What the server says became of the events of a request.
#[derive(Deserialize)]
struct Answer {
    logged: u64,
    repeated: u64,
    too_late: u64,
    refused: Vec<RefusedLine>,
}

#[derive(Deserialize)]
struct RefusedLine {
    line: usize,
    code: String,
    problem: String,
    quarantine: Option<u64>,
}

impl ServerSink {
    /// The server at a URL.
    pub(super) fn at(url: &str, plan: Arc<Plan>) -> Outcome<ServerSink> {
        let wrong = |why: &str| {
            Failure::because(format!(
                "--server {url}: {why}; write it like http://127.0.0.1:7070"
            ))
        };
        let rest = url.trim_end_matches('/');
        let rest = match rest.split_once("://") {
            Some(("http", rest)) => rest,
            Some((scheme, _)) => return Err(wrong(&format!("`{scheme}` is not spoken here"))),
            None => rest,
        };
        let mut found = rest.to_socket_addrs().map_err(|e| wrong(&e.to_string()))?;
        let address = found.next().ok_or_else(|| wrong("no such host"))?;
        ServerSink::new(address, plan, None)
    }

    /// The server that holds a data folder.
    pub(super) fn holding(folder: &Folder, plan: Arc<Plan>) -> Outcome<ServerSink> {
        let told = std::fs::read_to_string(folder.server());
        let address = told.ok().and_then(|text| text.trim().parse().ok());
        let Some(address) = address else {
            return Err(Failure::because(format!(
                "another command is at work in {}: wait until it is done, or name a server with \
                 --server",
                folder.root().display()
            )));
        };
        ServerSink::new(address, plan, Some(folder.log()))
    }

    fn new(address: SocketAddr, plan: Arc<Plan>, log: Option<PathBuf>) -> Outcome<ServerSink> {
        let mut client = Client::new(address);
        let marks = client.json("GET", "/v1/sources", &Value::Null)?;
        let marks = serde_json::from_value(marks).map_err(|error| {
            Failure::because(format!(
                "the server at {address} is of another kind: {error}"
            ))
        })?;
        Ok(ServerSink {
            plan,
            client,
            address,
            marks,
            log,
            refused: Vec::new(),
        })
    }

    /// Sends a body until the server takes or refuses it; one that is busy, or away for a moment,
    /// is asked again.
    fn send(&mut self, path: &str, body: &[u8]) -> Result<(u16, Value), EngineError> {
        let (mut wait, mut waited) = (FIRST_WAIT, Duration::ZERO);
        loop {
            let why = match self.client.post(path, body) {
                Ok((status, bytes)) => {
                    let json: Value = serde_json::from_slice(&bytes).unwrap_or_default();
                    if status != 429 && status != 503 {
                        return Ok((status, json));
                    }
                    said(status, &json)
                }
                Err(error) => error.to_string(),
            };
            if waited >= PATIENCE {
                return Err(self.failed(&format!(
                    "{why}; what it has taken is safe: give the same again later, and each event \
                     counts once"
                )));
            }
            thread::sleep(wait);
            waited += wait;
            wait = (2 * wait).min(LONGEST_WAIT);
        }
    }

    /// Sends a body that the server has to take.
    fn give(&mut self, path: &str, body: &Value) -> Result<(), EngineError> {
        let (status, answer) = self.send(path, body.to_string().as_bytes())?;
        match status {
            200..300 => Ok(()),
            _ => Err(self.failed(&said(status, &answer))),
        }
    }

    fn failed(&self, why: &str) -> EngineError {
        EngineError::Closed(format!("the server at {}: {why}", self.address))
    }

    fn post(&mut self, events: &[Arc<Event>], lines: &[u8]) -> Result<Taken, EngineError> {
        let (status, answer) = self.send("/v1/events", lines)?;
        let Ok(answer) = serde_json::from_value::<Answer>(answer.clone()) else {
            return Err(self.failed(&said(status, &answer)));
        };
        let refused = answer.refused.into_iter().filter_map(|line| {
            let event = events.get(line.line.checked_sub(1)?)?;
            let original = event.id.as_bytes();
            Some(NotTaken {
                why: Rejected::because(&line.code, None, line.problem, "", original),
                event: Arc::clone(event),
                kept: line.quarantine.is_some(),
            })
        });
        Ok(Taken {
            logged: answer.logged + answer.too_late,
            too_late: answer.too_late,
            repeated: answer.repeated,
            refused: refused.collect(),
        })
    }
}

/// A refusal in words.
fn said(status: u16, answer: &Value) -> String {
    let text = |key: &str| answer[key].as_str().unwrap_or_default().to_owned();
    format!("{} ({status}): {}", text("message"), text("help"))
}

impl fmt::Display for ServerSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the server at http://{}", self.address)
    }
}

impl Sink for ServerSink {
    fn plan(&self) -> Arc<Plan> {
        Arc::clone(&self.plan)
    }

    fn mark(&self, source: &str) -> Option<SourceMark> {
        self.marks
            .iter()
            .find(|mark| mark.source == source)
            .cloned()
    }

    fn known(&mut self, kind: &str, see: &mut dyn FnMut(&Event)) -> Result<(), EngineError> {
        let Some(log) = &self.log else {
            return Err(self.failed(&format!(
                "its events of `{kind}` are not at hand here, and a mapping says `after` them: run \
                 this beside the server, on its data folder"
            )));
        };
        let log = LogReader::open(log)?;
        for record in log.read(log.first_position()?) {
            if let Body::Event(event) = record?.body
                && event.kind.name == kind
            {
                see(&event);
            }
        }
        Ok(())
    }

    fn take(&mut self, events: &[Arc<Event>]) -> Result<Taken, EngineError> {
        let (mut taken, mut lines, mut first) = (Taken::default(), Vec::new(), 0);
        for (at, event) in events.iter().enumerate() {
            acumen_sim::wire::write_line(event, &mut lines);
            let end = at + 1;
            if end - first < EVENTS_MAX && lines.len() < BYTES_MAX && end < events.len() {
                continue;
            }
            let more = self.post(&events[first..end], &lines)?;
            taken.logged += more.logged;
            taken.too_late += more.too_late;
            taken.repeated += more.repeated;
            taken.refused.extend(more.refused);
            lines.clear();
            first = end;
        }
        Ok(taken)
    }

    fn refuse(&mut self, rejected: &Rejected, source: &str, _at: Time) -> Result<(), EngineError> {
        self.refused.push(json!({
            "code": rejected.code(),
            "message": rejected.message(),
            "help": rejected.help(),
            "source": source,
            "original": String::from_utf8_lossy(&rejected.original),
        }));
        match self.refused.len() >= EVENTS_MAX {
            true => self.send_refused(),
            false => Ok(()),
        }
    }

    fn finish(&mut self, marks: Vec<SourceMark>, _at: Time) -> Result<(), EngineError> {
        self.send_refused()?;
        for mark in marks {
            self.give(&format!("/v1/sources/{}", mark.source), &json!(mark))?;
        }
        Ok(())
    }
}

impl ServerSink {
    fn send_refused(&mut self) -> Result<(), EngineError> {
        match std::mem::take(&mut self.refused) {
            none if none.is_empty() => Ok(()),
            some => self.give("/v1/quarantine", &Value::Array(some)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::TcpListener;

    use super::*;

    /// A server that answers what it is told to, one connection after the other; gives what it was
    /// asked.
    fn answering(answers: &'static [(u16, &str)]) -> (SocketAddr, thread::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let serve = move || {
            let answer = |(status, body): &(u16, &str)| {
                let (mut stream, _) = listener.accept().unwrap();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let (mut head, mut length) = (String::new(), 0);
                loop {
                    let mut line = String::new();
                    reader.read_line(&mut line).unwrap();
                    if let Some(number) = line.strip_prefix("content-length: ") {
                        length = number.trim().parse().unwrap();
                    }
                    if line.trim().is_empty() {
                        break;
                    }
                    head.push_str(&line);
                }
                let mut sent = vec![0; length];
                reader.read_exact(&mut sent).unwrap();
                let length = body.len();
                let text = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n\r\n{body}");
                stream.write_all(text.as_bytes()).unwrap();
                head.lines().next().unwrap().to_owned()
            };
            answers.iter().map(answer).collect()
        };
        (address, thread::spawn(serve))
    }

    #[test]
    fn a_busy_server_is_asked_again() {
        let (address, server) = answering(&[
            (200, "[]"),
            (429, r#"{"message": "busy", "help": "slow down"}"#),
            (503, r#"{"message": "closing", "help": "later"}"#),
            (
                404,
                r#"{"message": "no such source", "help": "declare it"}"#,
            ),
        ]);
        let plan = acumen_engine::spec::Project::load(std::path::Path::new("none")).0;
        let plan = Arc::new(Plan::compile(plan).0);
        let mut sink = ServerSink::new(address, plan, None).unwrap();
        let mark = SourceMark {
            source: "shop".to_owned(),
            ..SourceMark::default()
        };
        let refused = sink.finish(vec![mark], Time(0)).unwrap_err().to_string();
        assert!(
            refused.contains("no such source (404): declare it"),
            "{refused}"
        );
        let asked = server.join().unwrap();
        assert_eq!(asked[0], "GET /v1/sources HTTP/1.1");
        assert_eq!(asked[1..], ["POST /v1/sources/shop HTTP/1.1"; 3]);
    }

    #[test]
    fn an_address_is_a_plain_url() {
        let plan = || {
            let project = acumen_engine::spec::Project::load(std::path::Path::new("none")).0;
            Arc::new(Plan::compile(project).0)
        };
        for (url, told) in [
            ("https://127.0.0.1:1", "`https` is not spoken here"),
            ("127.0.0.1", "write it like http://"),
        ] {
            let refused = ServerSink::at(url, plan()).err().unwrap().to_string();
            assert!(refused.contains(told), "{refused}");
        }
    }
}
