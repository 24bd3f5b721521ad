//! The time of year, as a clock that runs faster where more is ordered.
//!
//! Everything that customers do happens at a constant rate on this clock. Read at two instants it
//! gives the expected orders between them, by the customer's rate: exactly, which the truth needs.

use acumen_base::Time;

use super::parameters::Season;

/// Days before the start from which the clock runs.
pub(crate) const BEFORE_DAYS: i64 = 3 * 365;
/// Weights of the weekdays, Monday first.
const WEEKDAYS: [f64; 7] = [1.05, 1.0, 0.98, 1.0, 1.02, 0.9, 1.05];
/// The middle of winter as this shop knows it: the days of the year are counted from 1 January.
const WINTER_DAY: f64 = 335.0;
/// The four weeks to 20 December.
const PRESENTS: std::ops::Range<f64> = 326.0..354.0;

/// The clock.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    /// What the clock shows at each midnight, from [`BEFORE_DAYS`] before the start on.
    shows: Vec<f64>,
}

impl Clock {
    pub(crate) fn new(season: &Season, start: Time, days: u32) -> Clock {
        let first = start.day() - BEFORE_DAYS;
        let mut shows = vec![0.0];
        let mut at = 0.0;
        for day in 0..BEFORE_DAYS + i64::from(days) {
            at += speed(season, first + day);
            shows.push(at);
        }
        Clock { shows }
    }

    /// What it shows at a time of a day, in days of mean speed.
    pub(crate) fn at(&self, day: i64, share: f64) -> f64 {
        let index = (day + BEFORE_DAYS) as usize;
        let last = self.shows.len() - 1;
        let (from, to) = (
            self.shows[index.min(last)],
            self.shows[(index + 1).min(last)],
        );
        from + (to - from) * share
    }

    /// When it shows this: the day, and the share of the day; `None` after the last day.
    pub(crate) fn when(&self, shown: f64) -> Option<(i64, f64)> {
        let after = self.shows.partition_point(|&midnight| midnight <= shown);
        let (from, to) = (self.shows[after - 1], *self.shows.get(after)?);
        let day = after as i64 - 1 - BEFORE_DAYS;
        Some((day, (shown - from) / (to - from)))
    }
}

/// How fast it runs on a day, counted from 1970.
fn speed(season: &Season, day: i64) -> f64 {
    let of_year = (day as f64).rem_euclid(365.25);
    let angle = std::f64::consts::TAU * (of_year - WINTER_DAY) / 365.25;
    let presents = if PRESENTS.contains(&of_year) {
        1.0 + season.presents
    } else {
        1.0
    };
    let mean = 1.0 + season.presents * (PRESENTS.end - PRESENTS.start) / 365.25;
    let weekday = WEEKDAYS[usize::from(Time(day * 86_400_000).weekday())];
    (1.0 + season.winter * angle.cos()) * presents / mean * weekday
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_runs_a_year_in_a_year_and_its_two_readings_agree() {
        let season = Season {
            winter: 0.1,
            presents: 0.8,
        };
        let start: Time = "2024-01-01T00:00:00Z".parse().unwrap();
        let clock = Clock::new(&season, start, 366);
        let year = clock.at(366, 0.0) - clock.at(0, 0.0);
        assert!((350.0..385.0).contains(&year), "{year}");
        for (day, share) in [(-900, 0.25), (0, 0.0), (200, 0.75)] {
            let (found, part) = clock.when(clock.at(day, share)).unwrap();
            assert!(found == day && (part - share).abs() < 1e-6);
        }
        assert_eq!(clock.when(clock.at(366, 0.0) + 1.0), None);
    }
}
