//! Episodes: a few payments of one customer that belong together, fraud or look-alike.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::city::Point;
use super::oracle::{Shown, Side, When};
use super::people::{Device, pick};

/// Where the families that need care of their own stand in `Families::named`.
pub(crate) const NEW_DEVICE: usize = 0;
pub(crate) const AWAY: usize = 1;
pub(crate) const SHARED: usize = 3;

/// An episode that is under way.
#[derive(Clone, Debug)]
pub(crate) struct Episode {
    /// Which family, in the order of `Families::named`.
    pub(crate) family: usize,
    pub(crate) fraud: bool,
    /// When its next payment is planned.
    pub(crate) next_ms: i64,
    /// The logarithm of that gap in minutes; meaningless before the first payment.
    pub(crate) gap: f64,
    pub(crate) first: bool,
    pub(crate) night: bool,
    /// The other city that it happens in.
    pub(crate) away: Option<usize>,
    /// Where its online payments come from, where not from the customer's own places.
    pub(crate) spot: Option<Point>,
    /// The device new to the customer, and whether others used it before.
    pub(crate) fresh: Option<(Device, bool)>,
    pub(crate) device_seen: bool,
    pub(crate) card: usize,
    /// The merchant of the payment before.
    pub(crate) merchant: Option<usize>,
    /// The log odds that it is fraud, after what it has shown.
    pub(crate) log_odds: f64,
}

impl Episode {
    /// Draws what the next payment shows apart from its merchant and device.
    pub(crate) fn draw(
        &self,
        side: &Side,
        when: When,
        online_of: &[f64],
        random: &mut ChaCha8Rng,
    ) -> (Shown, bool) {
        let profile = &side.profile;
        let stayed = self.merchant.is_some() && random.random::<f64>() < profile.stay;
        let category = pick(&side.cumulative, random);
        let finale = !self.first && random.random::<f64>() < profile.finale;
        let centre = if finale {
            profile.finale_amount
        } else {
            side.amount(when)
        };
        // What is only sold online, or only at a till, is so in every profile.
        let online_chosen = !(online_of[category] == 0.0 || online_of[category] == 1.0);
        let online = if online_chosen {
            random.random::<f64>() < profile.online
        } else {
            online_of[category] == 1.0
        };
        let shown = Shown {
            first: self.first,
            night: self.night,
            away: self.away.is_some(),
            gap: self.gap,
            stayed,
            category,
            online,
            online_chosen,
            amount: centre + profile.amount_spread * normal(random),
            ..Shown::default()
        };
        (shown, finale)
    }

    /// Plans the next payment; `false` where there is none.
    pub(crate) fn goes_on(&mut self, side: &Side, now_ms: i64, random: &mut ChaCha8Rng) -> bool {
        if random.random::<f64>() >= side.continues() {
            return false;
        }
        let profile = &side.profile;
        self.gap = profile.gap_minutes.ln() + profile.gap_spread * normal(random);
        self.next_ms = now_ms + (self.gap.exp() * 60_000.0).clamp(800.0, 6.0e9) as i64;
        self.first = false;
        true
    }
}

/// A standard normal number.
pub(crate) fn normal(random: &mut ChaCha8Rng) -> f64 {
    StandardNormal.sample(random)
}
