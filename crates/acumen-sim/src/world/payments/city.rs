//! Cities, distances, and how fast people travel.

use acumen_base::Geo;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// A city: where it lies, what it pays with, what its clocks say.
pub(crate) struct City {
    pub(crate) name: &'static str,
    pub(crate) at: Point,
    pub(crate) currency: &'static str,
    pub(crate) timezone: &'static str,
}

/// A point on the earth, in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    pub(crate) lat: f64,
    pub(crate) lon: f64,
}

const fn city(
    name: &'static str,
    lat: f64,
    lon: f64,
    currency: &'static str,
    timezone: &'static str,
) -> City {
    City {
        name,
        at: Point { lat, lon },
        currency,
        timezone,
    }
}

/// Cities that customers live in (the first [`HOMES`]) and travel to.
pub(crate) const CITIES: [City; 24] = [
    city("London", 51.507, -0.128, "GBP", "Europe/London"),
    city("Manchester", 53.481, -2.242, "GBP", "Europe/London"),
    city("Birmingham", 52.486, -1.890, "GBP", "Europe/London"),
    city("Leeds", 53.801, -1.549, "GBP", "Europe/London"),
    city("Glasgow", 55.864, -4.252, "GBP", "Europe/London"),
    city("Bristol", 51.455, -2.588, "GBP", "Europe/London"),
    city("Edinburgh", 55.953, -3.188, "GBP", "Europe/London"),
    city("Cardiff", 51.482, -3.179, "GBP", "Europe/London"),
    city("Belfast", 54.597, -5.930, "GBP", "Europe/London"),
    city("Dublin", 53.350, -6.260, "EUR", "Europe/Dublin"),
    city("Paris", 48.857, 2.352, "EUR", "Europe/Paris"),
    city("Berlin", 52.520, 13.405, "EUR", "Europe/Berlin"),
    city("Madrid", 40.417, -3.704, "EUR", "Europe/Madrid"),
    city("Rome", 41.903, 12.496, "EUR", "Europe/Rome"),
    city("Lisbon", 38.722, -9.139, "EUR", "Europe/Lisbon"),
    city("Zurich", 47.377, 8.542, "CHF", "Europe/Zurich"),
    city("Warsaw", 52.230, 21.012, "PLN", "Europe/Warsaw"),
    city("Istanbul", 41.008, 28.978, "TRY", "Europe/Istanbul"),
    city("New York", 40.713, -74.006, "USD", "America/New_York"),
    city("Miami", 25.762, -80.192, "USD", "America/New_York"),
    city("Dubai", 25.205, 55.271, "AED", "Asia/Dubai"),
    city("Bangkok", 13.756, 100.502, "THB", "Asia/Bangkok"),
    city("Tokyo", 35.677, 139.650, "JPY", "Asia/Tokyo"),
    city("Sydney", -33.869, 151.209, "AUD", "Australia/Sydney"),
];

/// How many of [`CITIES`] customers live in.
pub(crate) const HOMES: usize = 12;

const EARTH_KM: f64 = 6_371.0;

/// The great-circle distance (haversine).
pub(crate) fn kilometres(a: Point, b: Point) -> f64 {
    let (dlat, dlon) = (
        (b.lat - a.lat).to_radians() / 2.0,
        (b.lon - a.lon).to_radians() / 2.0,
    );
    let h = dlat.sin().powi(2)
        + a.lat.to_radians().cos() * b.lat.to_radians().cos() * dlon.sin().powi(2);
    2.0 * EARTH_KM * h.sqrt().min(1.0).asin()
}

/// A point at most `radius_km` away, uniform over the disc (flat: for radii up to some 200 km).
pub(crate) fn near(at: Point, radius_km: f64, random: &mut ChaCha8Rng) -> Point {
    let distance = radius_km * random.random::<f64>().sqrt();
    let angle = std::f64::consts::TAU * random.random::<f64>();
    let degrees = distance / 111.2;
    let round = |x: f64| (x * 1e4).round() / 1e4;
    Point {
        lat: round(at.lat + degrees * angle.sin()),
        lon: round(at.lon + degrees * angle.cos() / at.lat.to_radians().cos()),
    }
}

/// The least time from one point to another in milliseconds: 60 km/h about town, and from 150 km
/// on an airliner's 450 km/h from door to door with 90 minutes at airports.
pub(crate) fn travel_ms(a: Point, b: Point) -> i64 {
    let distance = kilometres(a, b);
    let hours = if distance < 150.0 {
        distance / 60.0
    } else {
        distance / 450.0 + 1.5
    };
    20_000 + (hours * 3.6e6) as i64
}

/// The least speed between two sightings in km/h: both accuracies count for the traveller.
pub fn least_speed(a: (Geo, i64), b: (Geo, i64)) -> f64 {
    let point = |g: Geo| Point {
        lat: g.lat,
        lon: g.lon,
    };
    let sure = kilometres(point(a.0), point(b.0))
        - f64::from(a.0.accuracy_km)
        - f64::from(b.0.accuracy_km);
    let hours = ((b.1 - a.1).abs() as f64 / 3.6e6).max(1e-6);
    sure.max(0.0) / hours
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn distances_are_those_of_the_map() {
        let london_paris = kilometres(CITIES[0].at, CITIES[10].at);
        assert!((london_paris - 344.0).abs() < 3.0, "{london_paris}");
        let mut random = ChaCha8Rng::seed_from_u64(1);
        for _ in 0..1_000 {
            let point = near(CITIES[4].at, 150.0, &mut random);
            assert!(kilometres(point, CITIES[4].at) < 151.5);
        }
    }

    #[test]
    fn nobody_outruns_an_airliner() {
        for a in &CITIES {
            for b in &CITIES {
                let hours = travel_ms(a.at, b.at) as f64 / 3.6e6;
                assert!(kilometres(a.at, b.at) / hours < 450.0);
            }
        }
    }
}
