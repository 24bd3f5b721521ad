//! `acumen simulate`: a use case's world, written out.

use std::fs::File;
use std::io::BufWriter;
use std::path::PathBuf;

use acumen_base::Seed;
use acumen_sim::world::{Size, write};
use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::output::{say, thousands};
use crate::place::{Place, position, read};
use crate::progress::Progress;

/// Write a use case's synthetic world: its events, and the truth beside them
#[derive(Args)]
#[command(after_help = "\
Example:
  acumen simulate NAME --out world --customers 1000 --days 90
    world/events.ndjson    what happened, a line each, as clients would send it
    world/truth.csv        what truly was the case

The same parameters and seed give the same bytes. Only use cases with a world.yaml have a world.")]
pub(crate) struct Simulate {
    /// The use case
    name: String,
    /// The folder to write to
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Customers, instead of as many as world.yaml says
    #[arg(long)]
    customers: Option<u32>,
    /// Days, instead of as many as world.yaml says
    #[arg(long)]
    days: Option<u32>,
    /// The seed of all chance
    #[arg(long, default_value_t = 7)]
    seed: u64,
}

impl Simulate {
    pub(crate) fn run(&self, place: &Place) -> Outcome {
        let file = place
            .root
            .join("usecases")
            .join(&self.name)
            .join("world.yaml");
        let plan = place.plan()?;
        position(&plan, &self.name)?;
        if !file.is_file() {
            return Err(Failure::because(format!(
                "`{}` has no world.yaml",
                self.name
            )));
        }
        let text = read(&file)?;
        let create = |name: &str| {
            let path = self.out.join(name);
            let made = std::fs::create_dir_all(&self.out).and_then(|()| File::create(&path));
            made.map(BufWriter::new)
                .map_err(|error| Failure::file("write", &path, &error))
        };
        let (mut events, mut truth) = (create("events.ndjson")?, create("truth.csv")?);
        let size = Size {
            customers: self.customers,
            days: self.days,
            ..Size::default()
        };
        let mut progress = Progress::new("simulating", "decided events");
        let named = file.display().to_string();
        let written = write(
            (&text, &named),
            size,
            Seed(self.seed),
            (&mut events, &mut truth),
            &mut |done, total| progress.at(done, Some(total), ""),
        )?;
        progress.done();
        say(format!(
            "{} events written to {}",
            thousands(written.events),
            self.out.display()
        ))?;
        written.notes.into_iter().try_for_each(say)
    }
}
