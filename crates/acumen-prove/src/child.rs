//! The side that is killed: a server over a data folder, in a process of its own.
//!
//! It prints the address that it listens on. Lines on its standard input are control records as
//! JSON, each answered with its log position; the end of its input tells it to stop.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;

use acumen_base::{Control, SystemClock};
use acumen_engine::spec::Project;
use acumen_engine::{Engine, Folder, LogOptions, Options, Plan};

use crate::report::{Failure, all};
use crate::settings::Settings;

/// Threads that run policies and models in the served engine.
const WORKERS: usize = 2;

/// Compiles a project.
pub(crate) fn plan(root: &Path) -> Result<Arc<Plan>, Failure> {
    let (project, mut problems) = Project::load(root);
    let (plan, more) = Plan::compile(project);
    problems.extend(more);
    match problems.is_empty() {
        true => Ok(Arc::new(plan)),
        false => Err(all(problems)),
    }
}

/// Serves until the standard input ends.
pub(crate) fn serve(settings: &Settings, root: &Path) -> Result<(), Failure> {
    let data = settings.data.as_ref();
    let data = data.ok_or_else(|| Failure::new("the child needs --data"))?;
    let options = Options {
        log: LogOptions::default(),
        workers: WORKERS,
    };
    let clock = SystemClock::new();
    let engine = Arc::new(Engine::open(
        plan(root)?,
        Folder::new(data),
        options,
        clock,
    )?);
    let refused = |refusal: acumen_engine::Refusal| Failure::new(refusal.to_string());
    engine.drill(settings.drill_slow.clone()).map_err(refused)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let controlled = Arc::clone(&engine);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            let answer = serde_json::from_str::<Control>(&line)
                .map_err(|error| error.to_string())
                .and_then(|control| {
                    let applied = controlled.control_now(control, "prove");
                    applied.map_err(|refusal| refusal.to_string())
                });
            println!("{answer:?}");
        }
        // The server may have ended by itself: then nobody listens.
        let _nobody = stop.send(());
    });
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        let stop = async { drop(stopped.await) };
        acumen_server::serve(listener, Arc::clone(&engine), stop).await
    })?;
    engine.close()?;
    Ok(())
}

/// A served data folder, as its parent holds it.
pub(crate) struct Server {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    /// Where it listens.
    pub(crate) address: String,
}

impl Server {
    /// Starts the server and waits until it listens.
    pub(crate) fn start(root: &Path, data: &Path) -> Result<Server, Failure> {
        Server::drilled(root, data, &[])
    }

    /// The same, with members that are slow on purpose, such as `lstm=2s`.
    pub(crate) fn drilled(root: &Path, data: &Path, drills: &[&str]) -> Result<Server, Failure> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("--child-server")
            .arg(root)
            .arg("--data")
            .arg(data)
            .args(drills.iter().flat_map(|drill| ["--drill-slow", drill]))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let input = child.stdin.take();
        let output = child.stdout.take();
        let output = output.ok_or_else(|| Failure::new("the child has no output"))?;
        let mut server = Server {
            child,
            input,
            output: BufReader::new(output),
            address: String::new(),
        };
        server.address = server.line()?;
        Ok(server)
    }

    fn line(&mut self) -> Result<String, Failure> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            let status = self.child.wait()?;
            return Err(Failure::new(format!("the server ended: {status}")));
        }
        Ok(line.trim_end().to_owned())
    }

    /// Applies a control record.
    pub(crate) fn control(&mut self, control: &Control) -> Result<(), Failure> {
        let input = self.input.as_mut();
        let input = input.ok_or_else(|| Failure::new("the server is stopping"))?;
        writeln!(input, "{}", serde_json::to_string(control)?)?;
        let answer = self.line()?;
        match answer.starts_with("Ok") {
            true => Ok(()),
            false => Err(Failure::new(format!("the edit was refused: {answer}"))),
        }
    }

    /// The memory that it holds now.
    pub(crate) fn resident_mib(&self) -> Result<f64, Failure> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok());
        let kib: f64 =
            kib.ok_or_else(|| Failure::new("the system does not say how much memory"))?;
        Ok(kib / 1_024.0)
    }

    /// Ends it at once, whatever it does.
    pub(crate) fn kill(mut self) -> Result<(), Failure> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Stops all of its threads, or lets them go on (`STOP`, `CONT`).
    pub(crate) fn signal(&self, name: &str) -> Result<(), Failure> {
        let pid = self.child.id().to_string();
        Command::new("kill").args(["-s", name, &pid]).status()?;
        Ok(())
    }

    /// Lets it finish, close its log and write a snapshot.
    pub(crate) fn stop(mut self) -> Result<(), Failure> {
        drop(self.input.take());
        let status = self.child.wait()?;
        match status.success() {
            true => Ok(()),
            false => Err(Failure::new(format!("the server ended: {status}"))),
        }
    }
}
