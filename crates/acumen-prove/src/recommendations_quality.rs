//! `recommendations-quality`: the last item of every user, found among all items.
//!
//! Protocol: users with at least three events; the last item is the test, the one before it the
//! validation; everything else is for training. All items that the user has not touched are
//! ranked, ties count half. Parameters and the weights of the blend are chosen on the validation
//! item alone. As in the published tables no model is fitted to the validation item, but each
//! reads it as the newest event of the history when it is tested; `refitted` is beside it.
//!
//! The sets are MovieLens-1M in the version of SASRec, Amazon Beauty of S3Rec (5-core) and Amazon
//! Games of SASRec; this one also against 100 uniform negatives, the protocol of its paper.
//! What better lists change is measured in a world of our own ([`world_ab`]).

mod blend;
mod judge;
mod kept;
mod members;
mod sets;
mod tradeoff;
mod versus_implicit;
mod world_ab;

use std::path::PathBuf;

use serde_json::{Map, Value, json};

use crate::report::{Failure, Outcome, row, skipped, table};
use crate::settings::{Settings, workspace};

use blend::Studied;
use sets::{SETS, Set};

/// The name of the set that is no set, but a world.
const WORLD: &str = "world";

/// What to say where the files are not there.
const WHERE: &str = "ml1m_sequences.parquet, ml1m_items.parquet, amazon_beauty_s3rec.parquet, \
     amazon_beauty_s3rec_attrs.parquet and amazon_games_sasrec.parquet (sequences with the columns \
     user, item, pos; MovieLens and the Amazon reviews are for research, and may not be passed on)";

/// What is published of each set, and what counting models elsewhere reach.
const PUBLISHED: [(&str, &str, [f64; 2]); 7] = [
    ("ml1m", "SASRec+ (full cross-entropy)", [0.1821, 0.3152]),
    ("ml1m", "SASRec+ with 3000 negatives", [0.1857, 0.3159]),
    ("ml1m", "gSASRec", [0.1726, 0.3003]),
    ("ml1m", "BERT4Rec", [0.1537, 0.2843]),
    ("beauty", "eSASRec", [0.0523, 0.0928]),
    ("beauty", "SASRec with sampled softmax", [0.0531, 0.0921]),
    (
        "games",
        "sequential counts, measured elsewhere",
        [0.0544, 0.0949],
    ),
];

/// Runs the measurement.
pub(crate) fn run(settings: &Settings) -> Outcome {
    if settings.set.as_deref() == Some(WORLD) {
        return Ok(json!({"world_ab": world_ab::run(settings)?}));
    }
    let folder = settings.recommendations_folder();
    let wanted = |name: &str| settings.set.as_ref().is_none_or(|only| only == name);
    let chosen: Vec<_> = SETS.iter().filter(|set| wanted(set.name)).collect();
    if chosen.is_empty() {
        let names = SETS.iter().map(|set| set.name).chain([WORLD]);
        let names: Vec<&str> = names.collect();
        let names = names.join(", ");
        return Err(Failure::new(format!(
            "there is no such set: they are {names}"
        )));
    }
    let files = chosen.iter().flat_map(|set| set.files());
    if let Some(absent) = files
        .map(|name| folder.join(name))
        .find(|file| !file.is_file())
    {
        return Ok(skipped(&format!(
            "{} is not there. Put {WHERE} into one folder and name it with --recommendations",
            absent.display()
        )));
    }
    println!("data: {WHERE}");
    let mut figures = Map::new();
    for declared in chosen {
        let set = Set::read(declared, &folder)?;
        println!(
            "\n{}: {} users, {} items, {} events",
            set.name,
            set.events.n_users(),
            set.events.n_items(),
            set.events.len()
        );
        let studied = blend::study(&set, settings)?;
        show(&studied);
        figures.insert(set.name.to_owned(), studied.json());
        if set.name == "ml1m" {
            figures.insert("tradeoff".to_owned(), tradeoff::run(&set, &studied)?);
            figures.insert(
                "als".to_owned(),
                versus_implicit::run(&set, settings, &folder)?,
            );
        }
    }
    if settings.set.is_none() {
        figures.insert("world_ab".to_owned(), world_ab::run(settings)?);
    }
    Ok(Value::Object(figures))
}

fn show(studied: &Studied) {
    let mut lines = vec![row([
        "",
        "NDCG@10",
        "HR@10",
        "weight",
        "without it",
        "seconds",
    ])];
    let mut add = |name: &str, found: [f64; 2], more: [String; 3]| {
        let mut line = vec![name.to_owned()];
        line.extend(found.map(|value| format!("{value:.4}")));
        line.extend(more);
        lines.push(line);
    };
    let nothing = || [String::new(), String::new(), String::new()];
    for member in &studied.members {
        let more = [
            format!("{:.3}", member.weight),
            format!("{:+.4}", member.left_out),
            format!("{:.1}", member.seconds),
        ];
        add(&member.name, member.test.pair(), more);
    }
    add("blend, first weights", studied.first.pair(), nothing());
    add("blend", studied.test.pair(), nothing());
    add(
        "blend, refitted to the validation item",
        studied.refitted.pair(),
        nothing(),
    );
    for (_, name, found) in PUBLISHED.iter().filter(|(set, ..)| *set == studied.set) {
        add(&format!("published: {name}"), *found, nothing());
    }
    table(&lines);
    for member in studied
        .members
        .iter()
        .filter(|member| !member.earns_its_place())
    {
        println!("{} does not earn its place in the blend", member.name);
    }
    if let Some(negatives) = &studied.negatives {
        println!(
            "against 100 uniform negatives: NDCG@10 {:.4}, HR@10 {:.4} (SASRec 0.531, 0.732)",
            negatives.ndcg, negatives.hit_rate
        );
    }
}

impl Studied {
    fn json(&self) -> Value {
        let pair = |found: &judge::Figures| json!({"ndcg10": found.ndcg, "hr10": found.hit_rate});
        let members = self.members.iter().map(|member| {
            let mut told = pair(&member.test);
            told["weight"] = json!(member.weight);
            told["loss_without_on_validation"] = json!(member.left_out);
            told["earns_its_place"] = json!(member.earns_its_place());
            told["parameters"] = member.parameters.clone();
            told["seconds"] = json!(member.seconds);
            (member.name.clone(), told)
        });
        let published = PUBLISHED.iter().filter(|(set, ..)| *set == self.set);
        let published = published.map(|(_, name, [ndcg, hits])| {
            ((*name).to_owned(), json!({"ndcg10": ndcg, "hr10": hits}))
        });
        let mut told = pair(&self.test);
        told["validation"] = pair(&self.validation);
        told["first_weights"] = pair(&self.first);
        told["refitted"] = pair(&self.refitted);
        told["cold_items"] = pair(&self.cold_items);
        told["cold_users"] = pair(&self.cold_users);
        told["negatives_100"] = self.negatives.as_ref().map_or(Value::Null, pair);
        told["members"] = members.collect::<Map<_, _>>().into();
        told["published"] = published.collect::<Map<_, _>>().into();
        told
    }
}

impl Settings {
    fn recommendations_folder(&self) -> PathBuf {
        let default = || workspace("../shared/data/recommendations");
        self.recommendations.clone().unwrap_or_else(default)
    }
}
