//! One day of every customer.

use rand::RngExt;
use rand_distr::{Distribution, Poisson};

use acumen_base::Time;

use super::World;
use super::city::{CITIES, near, travel_ms};
use super::episode::{AWAY, Episode, SHARED};
use super::oracle::When;
use super::people::{DAY_MS, Device, Group, member_share};

const HOUR_MS: i64 = 3_600_000;
/// Weights of the hours of ordinary payments.
const HOURS: [f64; 24] = [
    0.6, 0.35, 0.2, 0.15, 0.15, 0.3, 0.8, 2.0, 3.5, 3.8, 4.2, 5.0, 6.5, 6.0, 5.0, 5.0, 5.5, 6.5,
    7.0, 6.5, 5.5, 4.0, 2.5, 1.3,
];
/// Weights of the weekdays, Monday first.
const WEEKDAYS: [f64; 7] = [0.88, 0.9, 0.93, 0.98, 1.15, 1.25, 0.91];

/// The chances and odds of the day.
struct Odds {
    /// Chances that each family starts: fraud, genuine.
    starts: Vec<[f64; 2]>,
    synthetic: f64,
    housed: f64,
}

impl World {
    pub(super) fn live(&mut self) {
        let when = self.when();
        let starts = self
            .sides
            .iter()
            .map(|[f, g]| [f.starts(when), g.starts(when)]);
        let mut odds = Odds {
            starts: starts.collect(),
            synthetic: 0.0,
            housed: 0.0,
        };
        for customer in &self.customers {
            match customer.group {
                Group::Farm(_) if self.is_ripe(customer) => odds.synthetic += 1.0,
                Group::Household(_) => odds.housed += 1.0,
                _ => {}
            }
        }
        let busy = self.day_factor(when);
        for customer in 0..self.customers.len() {
            let who = &self.customers[customer];
            if !who.closed && who.joins < self.day.max(1) {
                self.start(customer, &odds);
                self.live_customer(customer, busy, when);
            }
        }
    }

    fn is_ripe(&self, customer: &super::Customer) -> bool {
        let ripe = customer.joins + i64::from(self.parameters.people.ramp_days);
        !customer.closed && self.day > ripe
    }

    fn day_factor(&self, when: When) -> f64 {
        let today = Time(self.start_ms() + self.day * DAY_MS);
        let weekday = WEEKDAYS[usize::from(today.weekday())];
        // Wages are paid towards the end of a month of 30 or 31 days.
        let salary = if (26..30).contains(&(today.day() % 30)) {
            1.25
        } else {
            0.96
        };
        weekday * salary * if when.presents { 1.15 } else { 1.0 }
    }

    fn live_customer(&mut self, customer: usize, busy: f64, when: When) {
        let mean = self.customers[customer].payments_per_day * busy;
        let midnight = self.start_ms() + self.day * DAY_MS;
        let count = Poisson::new(mean).map_or(0, |p| p.sample(&mut self.random) as usize);
        let mut times: Vec<i64> = Vec::with_capacity(count);
        for _ in 0..count {
            let hour = super::people::pick(&HOURS_CUMULATIVE, &mut self.random) as i64;
            times.push(midnight + hour * HOUR_MS + self.random.random_range(0..HOUR_MS));
        }
        times.sort_unstable();
        let mut times = times.into_iter().peekable();
        loop {
            let episode = self.customers[customer].episode.as_ref();
            let planned = episode
                .map(|e| e.next_ms)
                .filter(|&at| at < midnight + DAY_MS);
            match (times.peek().copied(), planned) {
                (ordinary, Some(at)) if ordinary.is_none_or(|o| at <= o) => {
                    self.pay_episode(customer, when);
                }
                (Some(at), _) => {
                    times.next();
                    let travels = episode.is_some_and(|e| e.family == AWAY && !e.fraud);
                    if !travels {
                        self.pay_ordinary(customer, at);
                    }
                }
                (None, _) => return,
            }
        }
    }

    /// Starts an episode of the customer, or none.
    fn start(&mut self, customer: usize, odds: &Odds) {
        let who = &self.customers[customer];
        if who.episode.is_some() {
            return;
        }
        let leaked = who
            .leaked
            .filter(|&(_, from, to)| (from..to).contains(&self.day));
        let mut at = self.random.random::<f64>();
        for family in 0..odds.starts.len() {
            for (side, fraud) in [(0, true), (1, false)] {
                let eligible = match (family, fraud, who.group) {
                    (AWAY, true, _) => leaked.is_some(),
                    (SHARED, true, Group::Farm(_)) => self.is_ripe(who),
                    (SHARED, false, Group::Household(_)) => true,
                    (SHARED, ..) => false,
                    _ => true,
                };
                // Synthetic identities are nobody's victims and have no private life.
                let lives = family == SHARED || !matches!(who.group, Group::Farm(_));
                if eligible && lives {
                    at -= odds.starts[family][side];
                    if at < 0.0 {
                        let prior = self.prior(customer, family, odds);
                        self.begin(customer, family, fraud, prior);
                        return;
                    }
                }
            }
        }
    }

    /// The log odds of fraud before anything is shown.
    fn prior(&self, customer: usize, family: usize, odds: &Odds) -> f64 {
        let [fraud, genuine] = odds.starts[family];
        let who = &self.customers[customer];
        let people = &self.parameters.people;
        let (fraud, genuine) = match (family, who.group) {
            (AWAY, _) => match who.leaked {
                Some((_, from, to)) if (from..to).contains(&self.day) => (fraud, genuine),
                _ => (0.0, genuine),
            },
            (SHARED, Group::Household(size) | Group::Farm(size)) => (
                fraud * odds.synthetic * member_share(&people.farm_sizes, size),
                genuine * odds.housed * member_share(&people.household_sizes, size),
            ),
            _ => (fraud, genuine),
        };
        (fraud / genuine.max(1e-12)).max(1e-12).ln()
    }

    fn begin(&mut self, customer: usize, family: usize, fraud: bool, prior: f64) {
        let profile = self.sides[family][usize::from(!fraud)].profile.clone();
        let midnight = self.start_ms() + self.day * DAY_MS;
        let night = self.random.random::<f64>() < profile.night;
        let hours = if night {
            0..6 * HOUR_MS
        } else {
            8 * HOUR_MS..22 * HOUR_MS
        };
        let mut next_ms = midnight + self.random.random_range(hours);
        let elsewhere = self.random.random::<f64>() < profile.away;
        let home = self.customers[customer].city;
        let away =
            elsewhere.then(|| (home + self.random.random_range(1..CITIES.len())) % CITIES.len());
        let fresh = (self.random.random::<f64>() < profile.fresh_device).then(|| {
            self.fresh_device(
                usize::from(!fraud),
                away.unwrap_or(home),
                profile.reuse_device,
            )
        });
        let abroad_genuine = away.is_some() && !fraud;
        let spot = match (away, &fresh) {
            (Some(city), _) => Some(near(CITIES[city].at, 8.0, &mut self.random)),
            (None, Some(_)) if fraud => Some(near(CITIES[home].at, 14.0, &mut self.random)),
            _ => None,
        };
        let who = &mut self.customers[customer];
        if let (true, Some(spot), Some((last, at))) = (abroad_genuine, spot, who.last) {
            next_ms = next_ms.max(at + travel_ms(last, spot) + HOUR_MS);
        }
        let card = match who.leaked {
            Some((card, ..)) if fraud && family == AWAY => card,
            _ => self.random.random_range(0..who.cards.len()),
        };
        who.episode = Some(Episode {
            family,
            fraud,
            next_ms,
            gap: 0.0,
            first: true,
            night,
            away,
            spot,
            fresh,
            device_seen: false,
            card,
            merchant: None,
            log_odds: prior,
        });
    }

    /// A device new to the customer: from the pool of its side (crooks, libraries), or brand new.
    fn fresh_device(&mut self, pool: usize, city: usize, reuse: f64) -> (Device, bool) {
        const POOL: usize = 24;
        let known = self.pools[pool].len();
        if known > 0 && self.random.random::<f64>() < reuse {
            let chosen = self.random.random_range(0..known);
            return (self.pools[pool][chosen].clone(), true);
        }
        self.devices += 1;
        let device = Device::new(self.devices, CITIES[city].timezone, &mut self.random);
        // Devices come and go: a new one now and then takes the place of an old one.
        if self.random.random::<f64>() < reuse {
            if known < POOL {
                self.pools[pool].push(device.clone());
            } else {
                let place = self.random.random_range(0..POOL);
                self.pools[pool][place] = device.clone();
            }
        }
        (device, false)
    }
}

const HOURS_CUMULATIVE: [f64; 24] = {
    let mut cumulative = HOURS;
    let mut hour = 1;
    while hour < 24 {
        cumulative[hour] += cumulative[hour - 1];
        hour += 1;
    }
    cumulative
};
