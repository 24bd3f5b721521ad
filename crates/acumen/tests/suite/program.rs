//! Running the program, and talking to its server.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

/// The program's name for itself.
pub(crate) const ACUMEN: &str = env!("CARGO_BIN_EXE_acumen");

/// The repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// Data of these tests.
pub(crate) fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
}

/// What a run of the program gave.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs it to its end, in a project.
pub(crate) fn acumen(root: &Path, arguments: &[&str]) -> Ran {
    let output = Command::new(ACUMEN)
        .args(arguments)
        .arg("--root")
        .arg(root)
        .output()
        .unwrap();
    Ran::from(output)
}

/// Runs it, which has to go well; gives what it printed.
pub(crate) fn well(root: &Path, arguments: &[&str]) -> String {
    let ran = acumen(root, arguments);
    assert_eq!(ran.code, 0, "{arguments:?}\n{}\n{}", ran.out, ran.err);
    ran.out
}

impl From<Output> for Ran {
    fn from(output: Output) -> Ran {
        Ran {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// A server that runs beside the test.
pub(crate) struct Server {
    child: Child,
    lines: BufReader<ChildStdout>,
    /// Where it listens.
    pub(crate) address: String,
    /// What it said when it started.
    pub(crate) said: String,
}

impl Server {
    /// Starts one on any free port, and waits until it says where.
    pub(crate) fn start(root: &Path) -> Server {
        Server::start_with(root, &[])
    }

    pub(crate) fn start_with(root: &Path, arguments: &[&str]) -> Server {
        let mut child = Command::new(ACUMEN)
            .args(["serve", "--listen", "127.0.0.1:0", "--root"])
            .arg(root)
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let (mut said, mut address) = (String::new(), None);
        while address.is_none() {
            let mut line = String::new();
            if lines.read_line(&mut line).unwrap() == 0 {
                let mut error = String::new();
                child
                    .stderr
                    .take()
                    .unwrap()
                    .read_to_string(&mut error)
                    .unwrap();
                panic!("the server did not start: {said}{error}");
            }
            let found = line.strip_prefix("listening on http://");
            address = found
                .and_then(|rest| rest.split_whitespace().next())
                .map(str::to_owned);
            said.push_str(&line);
        }
        Server {
            child,
            lines,
            address: address.unwrap(),
            said,
        }
    }

    /// Sends a request; gives the status and the body of the answer.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let status = answer.split_whitespace().nth(1).unwrap().parse().unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        (status, body.to_owned())
    }

    /// Tells it to stop, and waits until it has; gives its exit code and its last words.
    pub(crate) fn terminate(mut self) -> (Option<i32>, String) {
        let id = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &id])
                .status()
                .unwrap()
                .success()
        );
        let mut last = String::new();
        self.lines.read_to_string(&mut last).unwrap();
        (self.child.wait().unwrap().code(), last)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A test that failed leaves no server behind; one that passed has ended it.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}
