//! Lists that some visitors of the shop were shown, and what they clicked on: what a ranker learns
//! from.

use std::path::Path;
use std::sync::Arc;

use acumen_base::{Clock, Seed, Value};
use acumen_engine::{Engine, Folder, LogOptions, Offline, Options, Plan, RankRequest};

use super::shop::{USE_CASE, event, visitor};
use crate::report::Failure;
use crate::stage;

/// Lists that are shown.
const LISTS: usize = 4_000;
/// How likely something is clicked on that was looked at: where it says that it is cheap, and where
/// not.
const CLICKED: [f64; 2] = [0.3, 0.05];
/// What is cheap: up to so many pounds.
const CHEAP: u64 = 64;

/// An item of a list.
struct Place {
    list: String,
    who: usize,
    item: Arc<str>,
    place: usize,
    cheap: bool,
}

/// Shows lists to the first visitors and takes in what they do with them.
pub(super) fn show(plan: &Arc<Plan>, data: &Path, seed: Seed) -> Result<(), Failure> {
    let places = asked(plan, data)?;
    let mut offline = Offline::open(Arc::clone(plan), Folder::new(data), LogOptions::default())?;
    let kind = plan.event_type("feedback").cloned();
    let kind = kind.ok_or_else(|| Failure::new("there is no event `feedback`"))?;
    let now = stage::clock().now();
    for (number, place) in places.iter().enumerate() {
        let draw = |what: &str| seed.derive(what).unit(&number.to_string());
        let looks = draw("looks") < 1.0 / (place.place as f64).sqrt();
        let clicks = looks && draw("clicks") < CLICKED[usize::from(!place.cheap)];
        for said in ["impression", "click"].iter().take(1 + usize::from(clicks)) {
            let value = |name: &str| match name {
                "customer_id" => Value::text(&visitor(place.who)),
                "session_id" => Value::text(&format!("shown {}", place.who)),
                "product_id" => Value::Text(Arc::clone(&place.item)),
                "kind" => Value::text(said),
                "decision_id" => Value::text(&place.list),
                "place" => Value::Int(place.place as i64),
                _ => Value::Missing,
            };
            let told = event(&kind, &format!("{said}-{number}"), now, value);
            offline.import(&Arc::new(told))?;
        }
    }
    offline.close()?;
    Ok(())
}

/// The lists of the first visitors.
fn asked(plan: &Arc<Plan>, data: &Path) -> Result<Vec<Place>, Failure> {
    let options = Options {
        log: LogOptions::default(),
        workers: 2,
    };
    let clock: Arc<dyn Clock> = stage::clock();
    let engine = Engine::open(Arc::clone(plan), Folder::new(data), options, clock)?;
    let mut places = Vec::new();
    for who in 0..LISTS {
        let request = RankRequest {
            visitor: Some(visitor(who)),
            explain: true,
            ..RankRequest::default()
        };
        let list = engine.rank(USE_CASE, &request, engine.clock().nanos())?;
        places.extend(list.items.into_iter().map(|item| {
            let tier = item.attributes.iter().find(|(name, _)| name == "price");
            let tier = tier.and_then(|(_, tier)| tier.strip_prefix("tier ")?.parse::<u32>().ok());
            Place {
                list: list.id.clone(),
                who,
                item: item.item,
                place: item.place,
                cheap: tier.is_some_and(|tier| 1_u64 << tier < CHEAP),
            }
        }));
    }
    engine.close()?;
    Ok(places)
}
