//! A small use case that ranks, with two months of visits.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use acumen_base::{Body, Clock, Key, Listing, Seed, Time};
use acumen_engine::spec::{Catalogue, UseCase};
use acumen_engine::{
    Engine, EngineError, PolicyEvaluation, RankAnswer, RankRequest, Refusal, evaluate_policy,
};
use acumen_event::LogReader;

use super::home::Home;
use super::shop::{HOUR, START, days};

const USE_CASE: &str = include_str!("../data/wares/usecase.yaml");

/// Wares, in kinds of ten.
pub(crate) const WARES: u32 = 60;
pub(crate) const CUSTOMERS: u32 = 120;

pub(crate) struct Wares(Home);

impl Deref for Wares {
    type Target = Home;

    fn deref(&self) -> &Home {
        &self.0
    }
}

impl DerefMut for Wares {
    fn deref_mut(&mut self) -> &mut Home {
        &mut self.0
    }
}

impl Wares {
    /// Wares and two months of visits: who clicks on a ware of a kind clicks on the next of it.
    pub(crate) fn grown(changes: &[(&str, &str)]) -> Wares {
        let wares = Wares(Home::new(("wares", USE_CASE), changes, START));
        let mut lines: Vec<(Time, String)> = Vec::new();
        for number in 0..WARES {
            lines.push((
                START,
                ware(&format!("w{number}"), number / 10, number % 7, 5, START),
            ));
        }
        for customer in 0..CUSTOMERS {
            let draw = |what: &str, n: u32| Seed(5).derive(what).unit(&format!("{customer} {n}"));
            let kind = (draw("kind", 0) * 6.0) as u32;
            for visit in 0..12 {
                let at = START + days(1 + 5 * i64::from(visit)) + HOUR;
                let first = (draw("first", visit) * 10.0) as u32;
                for step in 0..3_u32 {
                    let kind = match draw("strays", 3 * visit + step) < 0.15 {
                        true => (kind + 1) % 6,
                        false => kind,
                    };
                    let number = 10 * kind + (first + step) % 10;
                    let at = at + acumen_base::Span(i64::from(customer) * 1_000 + i64::from(step));
                    let id = format!("f{customer}-{visit}-{step}");
                    let (who, session) = (format!("c{customer}"), format!("v{customer}-{visit}"));
                    let what = if step == 2 && draw("buys", visit) < 0.2 {
                        "buy"
                    } else {
                        "click"
                    };
                    let by = (Some(who.as_str()), session.as_str());
                    lines.push((
                        at,
                        feedback(&id, by, (&format!("w{number}"), what), None, at),
                    ));
                }
            }
        }
        wares.take_in(lines);
        wares.clock.set(START + days(70));
        wares
    }

    /// The lists of the log.
    pub(crate) fn listings(&self) -> Vec<Listing> {
        let records = LogReader::open(&self.folder().log()).unwrap().read(0);
        let listing = |body: Body| match body {
            Body::Listing(listing) => Some((*listing).clone()),
            _ => None,
        };
        records
            .filter_map(|record| listing(record.unwrap().body))
            .collect()
    }

    /// What the lists of the use case with some changes would have been worth, by the log.
    pub(crate) fn judged_as(
        &self,
        changes: &[(&str, &str)],
    ) -> Result<PolicyEvaluation, EngineError> {
        let sources = self.sources();
        let clock = self.clock.clone() as Arc<dyn Clock>;
        let declared = &sources.plan.use_cases[0].declared;
        let text = std::fs::read_to_string(declared.folder.join("usecase.yaml")).unwrap();
        let text = changes.iter().fold(text, |text, (old, new)| {
            assert_eq!(text.matches(old).count(), 1, "{old}");
            text.replace(old, new)
        });
        let other = declared.folder.join("other.yaml");
        std::fs::write(&other, text).unwrap();
        let other = UseCase::load_as(&other, &declared.folder, &Catalogue::default());
        evaluate_policy(&sources, 0, &other.unwrap(), &clock, &mut |_| ())
    }
}

/// A ware that is added or changes.
pub(crate) fn ware(id: &str, kind: u32, maker: u32, stock: u32, at: Time) -> String {
    let profit = 1 + Key::of(id).0 % 9;
    format!(
        r#"{{"type":"ware","change_id":"{id} at {0} of {stock}","changed_at":{0},"ware_id":"{id}","kind":"kind {kind}","maker":"maker {maker}","title":"A thing of kind{kind}","profit":{{"amount":"{profit}.00","currency":"EUR"}},"stock":{stock}}}"#,
        at.0
    )
}

/// What somebody did with a ware.
pub(crate) fn feedback(
    id: &str,
    (customer, visit): (Option<&str>, &str),
    (ware, what): (&str, &str),
    list: Option<&str>,
    at: Time,
) -> String {
    let customer = customer.map(|id| format!(r#""customer_id":"{id}","#));
    let list = list.map(|id| format!(r#""list_id":"{id}","#));
    format!(
        r#"{{"type":"feedback","feedback_id":"{id}","at":{},{}{}"visit_id":"{visit}","ware_id":"{ware}","what":"{what}"}}"#,
        at.0,
        customer.unwrap_or_default(),
        list.unwrap_or_default(),
    )
}

pub(crate) fn asks(customer: &str) -> RankRequest {
    RankRequest {
        visitor: Some(customer.to_owned()),
        ..RankRequest::default()
    }
}

pub(crate) fn rank(engine: &Engine, request: &RankRequest) -> Result<RankAnswer, Refusal> {
    engine.rank("wares", request, engine.clock().nanos())
}

/// The ids of a list.
pub(crate) fn ids(answer: &RankAnswer) -> Vec<String> {
    answer
        .items
        .iter()
        .map(|item| item.item.to_string())
        .collect()
}
