//! Quantiles of latencies in bounded memory.

/// Each bucket is this much wider than the one before.
const GROWTH: f64 = 1.04;

/// Buckets: the last one begins beyond a minute.
const BUCKETS: usize = 460;

/// How often each latency was seen, to within 4 %.
#[derive(Clone)]
pub(crate) struct Latencies {
    buckets: Vec<u64>,
    count: u64,
}

impl Latencies {
    /// None yet.
    pub(crate) fn new() -> Latencies {
        Latencies {
            buckets: vec![0; BUCKETS],
            count: 0,
        }
    }

    /// Notes one, in microseconds.
    pub(crate) fn add(&mut self, micros: f64) {
        let bucket = (micros.max(1.0).ln() / GROWTH.ln()) as usize;
        self.buckets[bucket.min(BUCKETS - 1)] += 1;
        self.count += 1;
    }

    /// The latency in milliseconds below which a share of them lies; `None` where there are none.
    pub(crate) fn quantile_ms(&self, share: f64) -> Option<f64> {
        let wanted = (share * self.count as f64).ceil().max(1.0) as u64;
        let mut below = 0;
        for (bucket, count) in self.buckets.iter().enumerate() {
            below += count;
            if self.count > 0 && below >= wanted {
                return Some(GROWTH.powf(bucket as f64 + 0.5) / 1_000.0);
            }
        }
        None
    }

    /// The median and the 99th percentile, in words.
    pub(crate) fn describe(&self) -> String {
        match (self.quantile_ms(0.5), self.quantile_ms(0.99)) {
            (Some(p50), Some(p99)) => {
                let digits = if p99 < 1.0 { 3 } else { 1 };
                format!("p50 {p50:.digits$} p99 {p99:.digits$} ms")
            }
            _ => "–".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_right_to_within_a_bucket() {
        let mut latencies = Latencies::new();
        assert_eq!(latencies.quantile_ms(0.5), None);
        for micros in 1..=10_000 {
            latencies.add(f64::from(micros));
        }
        for (share, exact) in [(0.5, 5.0), (0.99, 9.9)] {
            let found = latencies.quantile_ms(share).unwrap();
            assert!(
                (found / exact - 1.0).abs() < 0.04,
                "{found} is not about {exact}"
            );
        }
        latencies.add(1e12);
        assert!(latencies.quantile_ms(1.0).unwrap() > 60_000.0);
    }
}
