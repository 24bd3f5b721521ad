//! Which rows and columns a tree sees.

use std::collections::HashSet;

use acumen_base::random::Stream;

/// Some of the rows from `first` on, each at most once: equally likely (Floyd's algorithm, Bentley
/// 1987), or in proportion to their weights (Efraimidis and Spirakis 2006). All of them where
/// there are no more than wanted.
pub(super) fn rows(
    random: &mut Stream,
    (first, n_rows): (usize, usize),
    weight: Option<&[f32]>,
    wanted: usize,
) -> Vec<u32> {
    let count = n_rows - first;
    if count <= wanted {
        return (first as u32..n_rows as u32).collect();
    }
    match weight {
        Some(weight) => by_weight(random, first, &weight[first..], wanted),
        None => equally(random, first, count, wanted),
    }
}

fn equally(random: &mut Stream, first: usize, count: usize, wanted: usize) -> Vec<u32> {
    let mut drawn = HashSet::with_capacity(wanted);
    let mut rows = Vec::with_capacity(wanted);
    for last in count - wanted..count {
        let row = random.below(last + 1);
        let row = if drawn.insert(row) { row } else { last };
        drawn.insert(row);
        rows.push((first + row) as u32);
    }
    rows
}

/// The rows of the greatest `u^(1 / weight)`, which are those of the least `−ln u / weight`.
fn by_weight(random: &mut Stream, first: usize, weight: &[f32], wanted: usize) -> Vec<u32> {
    let key = |weight: &f32| -(1.0 - random.unit()).ln() / f64::from(*weight);
    let mut keys: Vec<(f64, u32)> = weight.iter().map(key).zip(first as u32..).collect();
    keys.select_nth_unstable_by(wanted, |a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    keys.truncate(wanted);
    let mut rows: Vec<u32> = keys.into_iter().map(|(_, row)| row).collect();
    rows.sort_unstable();
    rows
}

/// A share of the columns, rounded, and at least one where there are any.
pub(super) fn columns(random: &mut Stream, count: usize, share: f64) -> Vec<u32> {
    let wanted = ((share * count as f64).round() as usize).clamp(1.min(count), count);
    let mut columns: Vec<u32> = (0..count as u32).collect();
    if wanted < count {
        for place in 0..wanted {
            let other = place + random.below(count - place);
            columns.swap(place, other);
        }
        columns.truncate(wanted);
        columns.sort_unstable();
    }
    columns
}

#[cfg(test)]
mod tests {
    use acumen_base::Seed;

    use super::*;

    #[test]
    fn rows_are_drawn_once_and_by_weight() {
        let mut random = Stream::new(Seed(1));
        let mut counts = [0_u32; 60];
        let weight: Vec<f32> = (0..60).map(|i| if i < 30 { 1.0 } else { 4.0 }).collect();
        for _ in 0..400 {
            for weight in [None, Some(&weight[..])] {
                let mut drawn = rows(&mut random, (10, 60), weight, 10);
                if weight.is_some() {
                    drawn.iter().for_each(|row| counts[*row as usize] += 1);
                }
                drawn.sort_unstable();
                drawn.dedup();
                assert!(drawn.len() == 10 && drawn.iter().all(|row| (10..60).contains(row)));
            }
        }
        let (light, heavy) = (&counts[10..30], &counts[30..]);
        let mean = |counts: &[u32]| f64::from(counts.iter().sum::<u32>()) / counts.len() as f64;
        let ratio = mean(heavy) / mean(light);
        // Below 4, because no row is drawn twice.
        assert!((3.0..4.2).contains(&ratio), "{ratio}");
        assert_eq!(rows(&mut random, (3, 8), None, 5), [3, 4, 5, 6, 7]);
    }

    #[test]
    fn every_row_is_as_likely() {
        let mut random = Stream::new(Seed(2));
        let mut counts = [0; 20];
        for _ in 0..2_000 {
            let drawn = rows(&mut random, (0, 20), None, 5);
            drawn.iter().for_each(|row| counts[*row as usize] += 1);
        }
        assert!(
            counts.iter().all(|count| (420..580).contains(count)),
            "{counts:?}"
        );
        let mut random = Stream::new(Seed(4));
        assert_eq!(columns(&mut random, 9, 0.34).len(), 3);
        assert_eq!(columns(&mut random, 9, 0.01).len(), 1);
        assert_eq!(columns(&mut random, 3, 1.0), [0, 1, 2]);
    }
}
