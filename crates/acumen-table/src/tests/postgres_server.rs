//! A real PostgreSQL server on a free port, in a folder of its own.

use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use sqlx::postgres::PgConnection;
use sqlx::{Connection, Executor};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// The user `nobody`: the server refuses to run as root, which tests may well be.
const NOBODY: u32 = 65_534;

pub(super) struct Server {
    programs: PathBuf,
    folder: TempDir,
    pub(super) port: u16,
    runtime: Runtime,
}

impl Server {
    /// Starts one; `None`, and a word of why, where PostgreSQL is not installed.
    pub(super) fn start() -> Option<Server> {
        let Some(programs) = programs() else {
            eprintln!("skipped: no PostgreSQL server (`postgresql`) is installed here");
            return None;
        };
        let server = Server {
            programs,
            folder: tempfile::tempdir().unwrap(),
            port: free_port(),
            runtime: Runtime::new().unwrap(),
        };
        let root = server.folder.path();
        std::fs::write(root.join("password"), "s3cret").unwrap();
        if std::fs::metadata(root).unwrap().uid() == 0 {
            for path in [root.to_owned(), root.join("password")] {
                chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
            }
        }
        let [data, password] = ["data", "password"].map(|name| root.join(name));
        server.run(
            "initdb",
            &[
                "--no-sync",
                "--encoding=UTF8",
                "--locale=C",
                "--username=reader",
                "--auth=scram-sha-256",
                &format!("--pwfile={}", password.display()),
                &format!("--pgdata={}", data.display()),
            ],
        );
        server.up();
        Some(server)
    }

    /// Lets it run, and waits until it answers.
    pub(super) fn up(&self) {
        let root = self.folder.path().display();
        let options = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories={root} -c fsync=off",
            self.port
        );
        let (data, log) = (format!("{root}/data"), format!("{root}/log"));
        self.run(
            "pg_ctl",
            &["start", "-w", "-s", "-D", &data, "-l", &log, "-o", &options],
        );
    }

    /// Ends it as a crash would: connections are cut.
    pub(super) fn down(&self) {
        let data = self.folder.path().join("data").display().to_string();
        self.run(
            "pg_ctl",
            &["stop", "-w", "-s", "-m", "immediate", "-D", &data],
        );
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let mut command = Command::new(self.programs.join(program));
        command.args(arguments).current_dir(self.folder.path());
        if std::fs::metadata(self.folder.path()).unwrap().uid() == NOBODY {
            command.uid(NOBODY).gid(NOBODY);
        }
        let status = command
            .stdout(std::process::Stdio::null())
            .status()
            .unwrap();
        assert!(status.success(), "{program} {arguments:?}: {status}");
    }

    /// Its address, with the password given.
    pub(super) fn address(&self, password: &str) -> String {
        format!(
            "postgres://reader:{password}@127.0.0.1:{}/postgres",
            self.port
        )
    }

    pub(super) fn execute(&self, sql: &'static str) {
        let address = self.address("s3cret");
        self.runtime.block_on(async {
            let mut connection = PgConnection::connect(&address).await.unwrap();
            connection.execute(sql).await.unwrap();
        });
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let data = self.folder.path().join("data");
        if data.join("postmaster.pid").exists() {
            self.down();
        }
    }
}

/// Where Debian keeps the server's programs, or where the path does.
fn programs() -> Option<PathBuf> {
    let debian = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten();
    let debian = debian.flatten().map(|version| version.path().join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let mut places = debian.chain(path);
    places.find(|place| place.join("initdb").exists() && place.join("pg_ctl").exists())
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}
