//! What a use case that ranks knows: written by whoever applies the log, read by requests.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use acumen_base::{Columns, Control, EnsembleChoice, Event, FieldType, Key, Listing, Seed, Time};
use acumen_decision::bandit::{Arm, Bandit, BanditSpec};
use acumen_model::recommend::Recommender;
use serde::{Deserialize, Serialize};

use super::catalogue::{Catalogue, SavedCatalogue, Shelving};
use super::choosing::Chooser;
use super::heard::Hearing;
use super::lists::{Learners, Lists, Told, Word};
use super::moment::Moments;
use super::picks::Picks;
use super::sights::{SavedSights, Sights};
use super::sources::{Deployed, Loaded};
use super::telling::{Explored, Telling};
use super::visitors::{Past, Visitor, Visitors};
use crate::spec::{BanditDecl, ModelDecl, RankingDecl, UseCase, candidate_columns};

/// How a use case's events are read, and all that they said.
#[derive(Debug)]
pub(crate) struct Shelf {
    pub(crate) decl: RankingDecl,
    pub(crate) hearing: Hearing,
    pub(crate) shelving: Shelving,
    /// What may be said of the moment of a request.
    pub(crate) moments: Moments,
    /// What the bandit is told of candidates.
    telling: Telling,
    /// The sources that score items, in declared order; neither the bandit nor the ranker is one.
    pub(crate) names: Vec<String>,
    /// What is logged of each candidate, where a ranker is declared that learns from it.
    pub(crate) columns: Option<Arc<Columns>>,
    /// For each source the list that people edit, where it is one.
    editorial: Vec<Option<String>>,
    /// The name of the bandit, where one is declared.
    pub(crate) bandit_name: Option<String>,
    pub(crate) picks: Picks,
    catalogue: RwLock<Catalogue>,
    visitors: Visitors,
    /// What visitors were shown, where that is declared to be remembered.
    sights: Option<Sights>,
    deployed: RwLock<Arc<Deployed>>,
    bandit: RwLock<Option<Bandit>>,
    /// What chooses among ensembles, where there are several.
    chooser: RwLock<Option<Chooser>>,
    lists: Mutex<Lists>,
}

/// What a use case that ranks knows and has been told.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RankingStatus {
    /// Items that are known.
    pub items: usize,
    /// Those that may be shown.
    pub available: usize,
    /// Visitors that are remembered.
    pub visitors: usize,
    /// What visitors may do that tells of interest.
    pub kinds: Vec<String>,
    /// What a request may say of the moment, with the type of each.
    pub context: Vec<(String, FieldType)>,
    /// What each source weighs.
    pub weights: Vec<(String, f32)>,
    /// The ranker that orders lists in place of the weights, where one is live, with its version.
    pub ranker: Option<(String, String)>,
    /// Outcomes that the bandit has learnt from.
    pub learnt: u64,
    /// How many lists of each ensemble were learnt from, where there are several.
    pub ensembles: Vec<(String, u64)>,
    /// What has been said of lists.
    pub lists: Told,
}

/// A shelf as a snapshot keeps it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SavedShelf {
    catalogue: SavedCatalogue,
    visitors: Vec<(Key, Visitor)>,
    arms: Vec<Arm>,
    lists: Lists,
}

/// What a snapshot keeps of ensembles, apart from the shelf: pictures of earlier builds have none.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct SavedChoices {
    arms: Vec<Arm>,
    open: Vec<(Arc<str>, EnsembleChoice)>,
}

impl Shelf {
    /// A shelf that knows nothing; `None` where the use case ranks nothing.
    pub(crate) fn new(use_case: &UseCase) -> Option<Shelf> {
        let decl = use_case.ranking.as_deref()?;
        let feedback = use_case.event(&decl.feedback.event)?;
        let hearing = Hearing::new(decl, feedback)?;
        let moments = Moments::new(&decl.feedback, feedback);
        let shelving = Shelving::new(decl, use_case.event(&decl.items.event)?)?;
        let models = || use_case.models.iter();
        let sources: Vec<&ModelDecl> = models().filter(|model| model.is_source()).collect();
        let names: Vec<String> = sources.iter().map(|model| model.name.clone()).collect();
        let list = |model: &&ModelDecl| model.editorial().and_then(Result::ok);
        let bandit = models().find(|model| model.bandit().is_some());
        let bandit_name = bandit.map(|model| model.name.clone());
        let learns = models().any(|model| model.ranker().is_some());
        let columns = learns.then(|| Arc::new(candidate_columns(use_case, decl)));
        // Behind the columns stands the mark of which they are.
        let marked = columns.as_ref().map(|columns| columns.len() + 1);
        let telling = Telling::new(names.len(), moments.width(), marked);
        let bandit = BanditDecl::of(use_case).map(|spec| Bandit::new(spec, 1, telling.width()));
        Some(Shelf {
            hearing,
            shelving,
            bandit_name,
            chooser: RwLock::new(Chooser::new(decl, &moments)),
            moments,
            telling,
            columns,
            editorial: sources.iter().map(list).collect(),
            names,
            picks: Picks::default(),
            catalogue: RwLock::default(),
            visitors: Visitors::new(decl.feedback.remember),
            sights: decl.feedback.seen_within.map(Sights::new),
            deployed: RwLock::default(),
            bandit: RwLock::new(bandit),
            lists: Mutex::default(),
            decl: decl.clone(),
        })
    }

    /// Takes in an event, if it is of an item or of feedback.
    pub(crate) fn observe(&self, event: &Event) {
        if event.kind.name == self.decl.items.event {
            self.item(event);
        }
        let Some(heard) = self.hearing.hear(event) else {
            return;
        };
        let number = {
            let mut catalogue = write(&self.catalogue);
            let number = catalogue.mention(heard.item);
            if heard.weight > 0.0 {
                catalogue.touch(number);
            }
            number
        };
        if heard.weight != 0.0 || heard.outcome.is_some() {
            let did = (number, heard.weight, event.event_time);
            self.visitors.did(heard.who, did, heard.outcome);
        }
        if let Some(sights) = self.sights.as_ref().filter(|_| heard.shown) {
            sights.saw(heard.who, number, event.event_time);
        }
        if let Some(list) = heard.list.filter(|_| heard.shown || heard.reward.is_some()) {
            let word = Word {
                list,
                item: heard.item,
                shown: heard.shown,
                reward: heard.reward,
            };
            self.learn(|lists, learners| lists.hear(word, learners));
        }
    }

    /// An item is added or changes; sources that know items by what they are like learn of it.
    fn item(&self, event: &Event) {
        let mut catalogue = write(&self.catalogue);
        let Some(number) = catalogue.learn(&self.shelving, event) else {
            return;
        };
        let is_new = |known: &usize| number as usize >= *known;
        let known = self.deployed().items_known_by_likeness();
        if known.iter().any(is_new) {
            self.change(|deployed| deployed.learn(&self.shelving, &catalogue, number + 1));
        }
    }

    /// Notes a list that was shown.
    pub(crate) fn show(&self, listing: &Arc<Listing>) {
        let all_seen = !self.hearing.tells_what_was_seen();
        if let (Some(sights), true) = (&self.sights, all_seen)
            && let Some(who) = self.hearing.who(listing)
        {
            let catalogue = self.catalogue();
            let places = listing.places.iter();
            let numbers = places.filter_map(|place| catalogue.number(&place.item));
            numbers.for_each(|number| sights.saw(who, number, listing.at));
        }
        self.learn(|lists, learners| lists.show(listing, all_seen, learners));
    }

    /// Lets whoever learns from lists hear something of them.
    fn learn(&self, hear: impl FnOnce(&mut Lists, Learners<'_>)) {
        let (mut bandit, mut chooser) = (write(&self.bandit), write(&self.chooser));
        let learners = Learners {
            bandit: bandit.as_mut().map(|bandit| (bandit, self.telling)),
            chooser: chooser.as_mut(),
        };
        hear(&mut self.lists(), learners);
    }

    /// What chooses among the ensembles of a declaration, with all that was learnt of them; `None`
    /// where there is nothing to choose.
    pub(super) fn chooser(&self, decl: &RankingDecl) -> Option<Chooser> {
        let chooser = self.chooser.read().unwrap_or_else(PoisonError::into_inner);
        match &*chooser {
            Some(chooser) => chooser.declared_as(decl),
            None => Chooser::new(decl, &self.moments),
        }
    }

    /// Lets a source answer, told of the items that came after its training.
    ///
    /// # Errors
    /// Where it was trained on another catalogue.
    pub(crate) fn deploy(
        &self,
        name: &str,
        version: &str,
        recommender: &Arc<Recommender>,
    ) -> Result<(), String> {
        let catalogue = self.catalogue();
        let loaded = Loaded::new(Arc::clone(recommender), version, &catalogue)?;
        self.change(|deployed| {
            deployed.deploy(name, loaded);
            deployed.learn(&self.shelving, &catalogue, catalogue.len() as u32);
        });
        Ok(())
    }

    /// Changes what answers, for requests from here on.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Deployed)) {
        let mut deployed = write(&self.deployed);
        change(Arc::make_mut(&mut deployed));
    }

    /// Takes in an edit of a list that a source puts forward.
    pub(crate) fn edit_picks(&self, control: &Control) {
        if let Control::ListAdd { list, .. } | Control::ListRemove { list, .. } = control
            && self.editorial.iter().flatten().any(|known| known == list)
        {
            self.picks.edit(control);
            self.change(|deployed| deployed.epoch += 1);
        }
    }

    /// What people picked, where a source is a list that they edit.
    pub(crate) fn picked(&self, source: usize, now: Time) -> Option<Vec<u32>> {
        let list = self.editorial[source].as_ref()?;
        Some(self.picks.of(list, &self.catalogue(), now))
    }

    /// What answers now.
    pub(crate) fn deployed(&self) -> Arc<Deployed> {
        Arc::clone(&self.deployed.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The items; to be held for a moment only, since events wait for it.
    pub(crate) fn catalogue(&self) -> RwLockReadGuard<'_, Catalogue> {
        self.catalogue
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// What an item is like, in words.
    pub(crate) fn attributes(&self, number: u32) -> Vec<(String, Arc<str>)> {
        let catalogue = self.catalogue();
        let values = &catalogue.item(number).attributes;
        let names = self.shelving.attribute_names().into_iter().zip(values);
        names
            .filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)))
            .collect()
    }

    /// The past of somebody.
    pub(crate) fn past(&self, who: &[Key], now: Time) -> Past {
        let sights = self.sights.as_ref();
        Past {
            seen: sights.map_or_else(Vec::new, |sights| sights.of(who, now)),
            ..self.visitors.past(who)
        }
    }

    /// What the bandit, explored as `spec` says, makes of candidates; nothing where there is none.
    pub(super) fn explored(
        &self,
        spec: Option<BanditSpec>,
        contexts: &[Vec<f32>],
        by: (Seed, &str),
    ) -> Option<Explored> {
        let (bandit, spec) = (
            self.bandit.read().unwrap_or_else(PoisonError::into_inner),
            spec?,
        );
        let bandit = bandit.as_ref()?;
        let told = contexts.iter().map(|context| self.telling.of(context));
        let told: Vec<Vec<f32>> = told.collect();
        Some(match bandit.spec() == spec {
            true => Explored::by(bandit, &told, by),
            // Judging another declaration: what was learnt is the same.
            false => Explored::by(&bandit.declared_as(spec, &[Some(0)]), &told, by),
        })
    }

    /// What it knows and has been told.
    pub(crate) fn status(&self) -> RankingStatus {
        let deployed = self.deployed();
        let (items, available) = {
            let catalogue = self.catalogue();
            let available = catalogue.available().iter().filter(|shown| **shown);
            (catalogue.len(), available.count())
        };
        let bandit = self.bandit.read().unwrap_or_else(PoisonError::into_inner);
        let arm = bandit.as_ref().and_then(|bandit| bandit.arm(0));
        let ranker = deployed.ranker(&self.decl);
        let weight = |name: &String| (name.clone(), deployed.weight(&self.decl, name));
        RankingStatus {
            items,
            available,
            visitors: self.visitors.len(),
            kinds: self.hearing.kinds_of_interest(),
            context: self.moments.names(),
            weights: self
                .names
                .iter()
                .chain(&self.bandit_name)
                .map(weight)
                .collect(),
            ranker: ranker.map(|order| (order.name.clone(), order.version.clone())),
            learnt: arm.map_or(0, Arm::count),
            ensembles: self
                .chooser
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .as_ref()
                .map_or_else(Vec::new, Chooser::learnt),
            lists: self.lists().told(),
        }
    }

    fn lists(&self) -> MutexGuard<'_, Lists> {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a snapshot keeps; deployments are edits of the log.
    pub(crate) fn save(&self) -> SavedShelf {
        SavedShelf {
            catalogue: self.catalogue().save(),
            visitors: self.visitors.save(),
            arms: write(&self.bandit)
                .as_ref()
                .map_or_else(Vec::new, |bandit| bandit.arms().to_vec()),
            lists: self.lists().clone(),
        }
    }

    /// From a snapshot, before anything else has been taken in.
    pub(crate) fn load(&self, saved: SavedShelf) {
        *write(&self.catalogue) = Catalogue::load(saved.catalogue);
        self.visitors.load(saved.visitors);
        if let Some(bandit) = &mut *write(&self.bandit) {
            bandit.restore(saved.arms);
        }
        *self.lists() = saved.lists;
    }
}

impl Shelf {
    /// What a snapshot keeps of ensembles.
    pub(crate) fn save_choices(&self) -> SavedChoices {
        SavedChoices {
            arms: write(&self.chooser)
                .as_ref()
                .map_or_else(Vec::new, |chooser| chooser.bandit.arms().to_vec()),
            open: self.lists().choices(),
        }
    }

    /// From a snapshot, behind the shelf.
    pub(crate) fn load_choices(&self, saved: SavedChoices) {
        if let Some(chooser) = &mut *write(&self.chooser) {
            chooser.bandit.restore(saved.arms);
        }
        self.lists().chose(saved.open);
    }

    /// What a snapshot keeps of what visitors were shown.
    pub(crate) fn save_sights(&self) -> SavedSights {
        self.sights.as_ref().map(Sights::save).unwrap_or_default()
    }

    /// From a snapshot.
    pub(crate) fn load_sights(&self, saved: SavedSights) {
        if let Some(sights) = &self.sights {
            sights.load(saved);
        }
    }
}

/// Every change is whole: one that panicked has left nothing half done.
fn write<T>(lock: &RwLock<T>) -> std::sync::RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}
