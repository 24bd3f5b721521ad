//! One payment: drawn, moved to where the customer can be, told and judged.

use acumen_base::{Geo, Money, Value};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::city::{Point, least_speed, near, travel_ms};
use super::episode::{AWAY, Episode, NEW_DEVICE, SHARED, normal};
use super::event_types::Kind;
use super::market::choose;
use super::oracle::{Shown, When, evidence, probability};
use super::people::{Customer, DAY_MS, Device, Group, pick};
use super::{Truth, World};

/// An ordinary payment that could only be made this much later is not made.
const PATIENCE_MS: i64 = 2 * 3_600_000;
/// The speed that only two persons reach.
const IMPOSSIBLE_KM_PER_HOUR: f64 = 500.0;

/// A payment before it is told.
struct Draft {
    customer: usize,
    card: usize,
    device: Option<Device>,
    merchant: usize,
    city: usize,
    /// The logarithm of the amount in pounds.
    amount: f64,
    typing: Option<f64>,
    place: Point,
    at_ms: i64,
}

impl World {
    /// Where the customer is when not at a till: at work on weekdays, otherwise at home.
    fn base(&self, who: &Customer, at_ms: i64) -> Point {
        let at = acumen_base::Time(at_ms);
        if at.weekday() < 5 && (9..17).contains(&at.hour()) {
            who.work
        } else {
            who.home
        }
    }

    /// When the customer can be there: now, or after the way from the last payment.
    fn reach(who: &Customer, place: Point, at_ms: i64) -> i64 {
        who.last.map_or(at_ms, |(last, then)| {
            at_ms.max(then + travel_ms(last, place))
        })
    }

    pub(super) fn pay_ordinary(&mut self, customer: usize, at_ms: i64) {
        let usual = self.ordinary.profile.usual;
        let spread = self.ordinary.profile.amount_spread;
        let category = pick(&self.ordinary.cumulative, &mut self.random);
        let online = self.random.random::<f64>() < self.online[category];
        let who = &self.customers[customer];
        let range = self.market.of(category, (!online).then_some(who.city));
        let (merchant, ..) = choose(range, who.favourite, usual, &mut self.random);
        let place = self.market.merchants[merchant].site;
        let place = place.unwrap_or_else(|| self.base(who, at_ms));
        let reached = World::reach(who, place, at_ms);
        if reached > at_ms + PATIENCE_MS {
            return;
        }
        let device = online.then(|| own_device(who, &mut self.random));
        let typing = (online && self.random.random::<f64>() < self.parameters.people.typing_sent)
            .then(|| normal(&mut self.random));
        let card = if self.random.random::<f64>() < 0.75 {
            0
        } else {
            self.random.random_range(0..who.cards.len())
        };
        let (opened, group) = (who.joins, who.group);
        // A synthetic identity starts small and ramps up.
        let ramp = match group {
            Group::Farm(_) => -0.6 + 0.9 * ((self.day - opened) as f64 / 60.0).min(1.0),
            _ => 0.0,
        };
        let draft = Draft {
            customer,
            card,
            device,
            merchant,
            city: who.city,
            amount: ramp + spread * normal(&mut self.random),
            typing,
            place,
            at_ms: reached,
        };
        self.customers[customer].last = Some((place, reached));
        self.skim(&draft);
        let friendly = if online {
            self.parameters.friendly_fraud
        } else {
            0.0
        };
        let fraud = self.random.random::<f64>() < friendly;
        let scenario = match (fraud, group) {
            (true, _) => self.names.friendly.clone(),
            (false, Group::Farm(_)) => self.names.ramping.clone(),
            (false, _) => self.names.ordinary.clone(),
        };
        let truth = Truth {
            fraud,
            scenario,
            oracle: friendly,
        };
        self.tell(&draft, truth, fraud);
    }

    /// The till of a leaking merchant keeps the card; it is abused two to eight weeks later.
    fn skim(&mut self, draft: &Draft) {
        let share = self.parameters.leaking_merchants;
        if share > 0.0 && self.market.leaks(draft.merchant, self.day, share) {
            let from = self.day + 14;
            self.customers[draft.customer].leaked = Some((draft.card, from, from + 42));
        }
    }

    pub(super) fn pay_episode(&mut self, customer: usize, when: When) {
        let Some(mut episode) = self.customers[customer].episode.take() else {
            return;
        };
        let side = usize::from(!episode.fraud);
        let random = &mut self.random;
        let (mut shown, finale) = episode.draw(
            &self.sides[episode.family][side],
            when,
            &self.online,
            random,
        );
        let city = episode.away.unwrap_or(self.customers[customer].city);
        let merchant = self.merchant(customer, &episode, &mut shown);
        let site = self.market.merchants[merchant].site;
        shown.online = site.is_none();
        let device = shown
            .online
            .then(|| self.device(customer, &mut episode, &mut shown));
        let who = &self.customers[customer];
        let place = site
            .or(episode.spot)
            .unwrap_or_else(|| self.base(who, episode.next_ms));
        let at_ms = if episode.fraud && (episode.spot.is_some() || site.is_some()) {
            episode.next_ms
        } else {
            World::reach(who, place, episode.next_ms)
        };
        let [fraud, genuine] = &self.sides[episode.family];
        episode.log_odds += evidence(fraud, genuine, &shown, when);
        if matches!(episode.family, NEW_DEVICE | AWAY) && impossible(who, place, at_ms) {
            episode.log_odds += 8.0;
        }
        episode.merchant = Some(merchant);
        let truth = Truth {
            fraud: episode.fraud,
            scenario: self.names.scenarios[episode.family][side].clone(),
            oracle: probability(episode.log_odds),
        };
        let draft = Draft {
            customer,
            card: episode.card,
            device,
            merchant,
            city,
            amount: shown.amount,
            typing: shown.typing,
            place,
            at_ms,
        };
        if !episode.fraud {
            self.customers[customer].last = Some((place, at_ms));
        }
        self.tell(&draft, truth, false);
        let side = &self.sides[episode.family][side];
        if !finale && episode.goes_on(side, at_ms, &mut self.random) {
            self.customers[customer].episode = Some(episode);
        } else {
            self.finish(customer, episode);
        }
    }

    /// The merchant of an episode's next payment, and what it shows.
    fn merchant(&mut self, customer: usize, episode: &Episode, shown: &mut Shown) -> usize {
        if let (true, Some(merchant)) = (shown.stayed, episode.merchant) {
            return merchant;
        }
        let side = usize::from(!episode.fraud);
        let profile = &self.sides[episode.family][side].profile;
        let who = &self.customers[customer];
        let city = episode.away.unwrap_or(who.city);
        let range = self
            .market
            .of(shown.category, (!shown.online).then_some(city));
        let (merchant, usual, at_random) =
            choose(range, who.favourite, profile.usual, &mut self.random);
        let known = shown.online || episode.away.is_none();
        shown.usual = known.then_some((usual, at_random));
        merchant
    }

    /// The device of an episode's next payment online, and what it and the typing show.
    fn device(&mut self, customer: usize, episode: &mut Episode, shown: &mut Shown) -> Device {
        let side = usize::from(!episode.fraud);
        let profile = &self.sides[episode.family][side].profile;
        let who = &self.customers[customer];
        let device = match &episode.fresh {
            Some((device, _)) => device.clone(),
            None if episode.family == SHARED => who.devices[0].clone(),
            None => own_device(who, &mut self.random),
        };
        if !episode.device_seen {
            episode.device_seen = true;
            shown.fresh = Some(episode.fresh.is_some());
            shown.reused = episode.fresh.as_ref().map(|(_, reused)| *reused);
        }
        if self.random.random::<f64>() < self.parameters.people.typing_sent {
            let typing = profile.typing + profile.typing_spread * normal(&mut self.random);
            shown.typing = Some(typing);
        }
        device
    }

    fn finish(&mut self, customer: usize, episode: Episode) {
        let who = &mut self.customers[customer];
        match (episode.fraud, episode.family) {
            // A farm's identity is thrown away.
            (true, SHARED) => who.closed = true,
            // A leaked card is replaced.
            (true, AWAY) => who.leaked = None,
            // A new phone stays.
            (false, NEW_DEVICE) => {
                if let Some((device, false)) = episode.fresh {
                    who.devices.insert(0, device);
                    who.devices.truncate(3);
                }
            }
            _ => {}
        }
    }

    /// Writes the payment, and the chargeback that follows a fraud.
    fn tell(&mut self, draft: &Draft, truth: Truth, friendly: bool) {
        let who = &self.customers[draft.customer];
        let merchant = &self.market.merchants[draft.merchant];
        let category = merchant.category;
        let online = merchant.site.is_none();
        let (currency, rate) = self.rates.of(if online { who.city } else { draft.city });
        let pounds = (self.median[category] + who.level + merchant.price + draft.amount).exp();
        let minor = (pounds / rate * currency.units() as f64)
            .round()
            .clamp(1.0, 1e12);
        let channel = match (online, &*self.names.categories[category]) {
            (true, _) => 1,
            (false, "cash") => 2,
            (false, _) => 0,
        };
        let method = match (channel, self.random.random_range(0..10)) {
            (1, 0..3) | (0, 0..4) => 1,
            (1, _) => 0,
            _ => 2,
        };
        let text = |value: &std::sync::Arc<str>| Value::Text(value.clone());
        let mut values = vec![Value::Missing; 14];
        values[0] = text(&who.id);
        values[1] = text(&who.cards[draft.card]);
        values[3] = text(&merchant.id);
        values[4] = Value::Money(Money::new(minor as i64, currency));
        values[5] = text(&self.names.categories[category]);
        values[6] = text(&self.names.channels[channel]);
        values[7] = text(&self.names.methods[method]);
        if let Some(device) = &draft.device {
            let browsers = &self.names.browsers[device.browser];
            values[2] = text(&device.id);
            values[9] = text(&browsers[device.version(self.day) as usize]);
            values[10] = text(&self.names.systems[device.system]);
            values[11] = text(&self.names.screens[device.screen]);
            values[12] = text(&self.names.timezones[device.timezone]);
        }
        if let Some(typing) = draft.typing {
            let speed = (who.typing + who.typing_deviation * typing).max(0.2);
            values[13] = Value::Number((speed * 1e3).round() / 1e3);
        }
        if self.random.random::<f64>() >= self.parameters.place.missing {
            values[8] = Value::Geo(self.sighting(draft.place, online));
        }
        self.payments += 1;
        let id = format!("p{:08}", self.payments);
        if truth.fraud {
            self.charge_back(&id, draft.at_ms, friendly);
        }
        self.plan(Kind::Payment, id, draft.at_ms, &mut values, Some(truth));
    }

    /// The place as the caller knows it: the true place lies within its accuracy.
    fn sighting(&mut self, place: Point, online: bool) -> Geo {
        let noise = &self.parameters.place;
        let accuracy = if !online {
            0.1
        } else if self.random.random::<f64>() < noise.coarse {
            let [from, to] = noise.coarse_km;
            self.random.random_range(from..=to)
        } else {
            0.5
        };
        let accuracy_km = (accuracy * 10.0).round() / 10.0;
        // The flat approximation and the rounding stay within the tenth that is left.
        let point = near(place, accuracy_km * 0.9, &mut self.random);
        Geo {
            lat: point.lat,
            lon: point.lon,
            accuracy_km: accuracy_km as f32,
        }
    }

    fn charge_back(&mut self, payment: &str, paid_ms: i64, friendly: bool) {
        let chargeback = &self.parameters.chargeback;
        if self.random.random::<f64>() < chargeback.unreported {
            return;
        }
        let [from, to] = chargeback.days;
        let days = loop {
            let days =
                chargeback.median_days * (chargeback.spread * normal(&mut self.random)).exp();
            if (from..=to).contains(&days) {
                break days;
            }
        };
        let extra = if friendly {
            chargeback.friendly_extra_days
        } else {
            0.0
        };
        let at_ms = paid_ms + ((days + extra) * DAY_MS as f64) as i64;
        let mut values = [Value::text(payment)];
        self.plan(
            Kind::Chargeback,
            format!("b{payment}"),
            at_ms,
            &mut values,
            None,
        );
    }
}

fn own_device(who: &Customer, random: &mut ChaCha8Rng) -> Device {
    let draw: f64 = StandardNormal.sample(random);
    let chosen = if draw < 0.4 {
        0
    } else {
        random.random_range(0..who.devices.len())
    };
    who.devices[chosen].clone()
}

/// Whether the customer cannot have come here since the last genuine payment.
fn impossible(who: &Customer, place: Point, at_ms: i64) -> bool {
    let geo = |p: Point| Geo {
        lat: p.lat,
        lon: p.lon,
        accuracy_km: 0.5,
    };
    let here = (geo(place), at_ms);
    who.last
        .is_some_and(|(last, then)| least_speed((geo(last), then), here) > IMPOSSIBLE_KM_PER_HOUR)
}
