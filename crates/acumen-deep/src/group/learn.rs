//! What the training rows say of the inputs.

use super::*;

/// A category needs so many training rows to have a line of its own.
const RARE_ROWS: usize = 5;
/// Kurtosis above which a column has a heavy tail; that of a normal distribution is 3, of an
/// exponential one 9.
const KURTOSIS_MAX: f64 = 10.0;
/// Ordinals from here on are not categories.
const ORDINAL_MAX: f32 = 16_777_216.0;

/// How categories become numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Categories {
    /// A trained line of at most so many numbers each.
    Embedded(usize),
    /// A line with a single 1 each, at most so many lines.
    OneHot(usize),
}

/// The most lines of an embedded column: the most frequent categories have them.
const LINES_MAX: usize = 4_096;

/// What fields are over all their places; a place of which a row holds nothing does not count.
pub(super) fn inputs(
    train: &Matrix,
    fields: &[Field],
    places: &[Places],
    categories: Categories,
) -> Result<Inputs, FitError> {
    let present: Vec<Vec<bool>> = places.iter().map(|places| present(train, places)).collect();
    let mut inputs = Inputs::default();
    for field in fields {
        let columns = field
            .places
            .iter()
            .map(|column| &train.data[*column])
            .zip(&present);
        if field.kind == ColumnKind::Category {
            let counts = count(columns.map(|(values, _)| values), &field.name)?;
            inputs.categories.push(table(&counts, categories));
        } else {
            let values = columns.flat_map(|(values, present)| {
                let pairs = values.iter().zip(present);
                pairs
                    .filter(|(_, present)| **present)
                    .map(|(value, _)| *value)
            });
            inputs.numbers.push(number(values));
        }
    }
    Ok(inputs)
}

/// Which rows hold something at a place.
fn present(train: &Matrix, places: &Places) -> Vec<bool> {
    let rows = 0..train.n_rows;
    rows.map(|row| !places.is_empty_in(|column| train.data[column][row]))
        .collect()
}

fn number(values: impl Iterator<Item = f32> + Clone) -> Number {
    let plain = Moments::of(&values);
    let squash_it = plain.kurtosis() > KURTOSIS_MAX;
    let moments = match squash_it {
        true => Moments::of(&values.clone().map(squash)),
        false => plain,
    };
    let deviation = moments.deviation() as f32;
    let mut missing = 0;
    let mut all = 0;
    for value in values {
        missing += usize::from(value.is_nan());
        all += 1;
    }
    Number {
        squash: squash_it,
        mean: moments.mean as f32,
        deviation: if deviation > f32::MIN_POSITIVE && deviation.is_finite() {
            deviation
        } else {
            1.0
        },
        flag: missing > 0 && missing < all,
    }
}

/// Mean and central moments of the finite values.
struct Moments {
    mean: f64,
    second: f64,
    fourth: f64,
}

impl Moments {
    fn of(values: &(impl Iterator<Item = f32> + Clone)) -> Moments {
        let finite = || {
            values
                .clone()
                .filter(|value| value.is_finite())
                .map(f64::from)
        };
        let (mut count, mut sum) = (0.0, 0.0);
        for value in finite() {
            count += 1.0;
            sum += value;
        }
        let count = f64::max(count, 1.0);
        let mean = sum / count;
        let (mut second, mut fourth) = (0.0, 0.0);
        for value in finite() {
            let square = (value - mean).powi(2);
            second += square / count;
            fourth += square * square / count;
        }
        Moments {
            mean,
            second,
            fourth,
        }
    }

    fn deviation(&self) -> f64 {
        self.second.sqrt()
    }

    fn kurtosis(&self) -> f64 {
        match self.second > 0.0 {
            true => self.fourth / (self.second * self.second),
            false => 0.0,
        }
    }
}

/// How often each ordinal is there.
fn count<'a>(
    columns: impl Iterator<Item = &'a Vec<f32>>,
    name: &str,
) -> Result<Vec<usize>, FitError> {
    let mut counts: Vec<usize> = Vec::new();
    for value in columns.flatten().filter(|value| !value.is_nan()) {
        if value.fract() != 0.0 || !(0.0..ORDINAL_MAX).contains(value) {
            return Err(FitError::Categories {
                column: name.to_owned(),
                value: *value,
                limit: ORDINAL_MAX as usize,
            });
        }
        let ordinal = *value as usize;
        if ordinal >= counts.len() {
            counts.resize(ordinal + 1, 0);
        }
        counts[ordinal] += 1;
    }
    Ok(counts)
}

/// As wide as the root of the number of lines: few categories need few numbers.
pub(super) fn width(lines: usize, width_max: usize) -> usize {
    ((lines as f64).sqrt().ceil() as usize).min(width_max)
}

fn table(counts: &[usize], categories: Categories) -> Table {
    let most = match categories {
        Categories::Embedded(_) => LINES_MAX,
        Categories::OneHot(most) => most,
    };
    let mut frequent: Vec<usize> = (0..counts.len())
        .filter(|at| counts[*at] >= RARE_ROWS)
        .collect();
    frequent.sort_by_key(|at| (std::cmp::Reverse(counts[*at]), *at));
    frequent.truncate(most - 1);
    frequent.sort_unstable();
    let mut lines = vec![0; counts.len()];
    for (ordinal, line) in frequent.iter().zip(1..) {
        lines[*ordinal] = line;
    }
    let count = frequent.len() + 1;
    match categories {
        Categories::Embedded(width_max) => {
            let width = width(count, width_max);
            Table {
                lines,
                width,
                values: vec![0.0; count * width],
            }
        }
        Categories::OneHot(_) => {
            let mut values = vec![0.0; count * count];
            values
                .iter_mut()
                .step_by(count + 1)
                .for_each(|value| *value = 1.0);
            Table {
                lines,
                width: count,
                values,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_described_by_their_values() {
        let plain = number([1.0, 3.0, f32::NAN, f32::INFINITY].into_iter());
        assert_eq!(
            (plain.squash, plain.mean, plain.deviation, plain.flag),
            (false, 2.0, 1.0, true)
        );
        let heavy = (0..200).map(|i| if i == 0 { 1e6 } else { i as f32 });
        assert!(number(heavy).squash);
        let constant = number([7.0; 5].into_iter());
        assert_eq!((constant.deviation, constant.flag), (1.0, false));
        let nothing = number([f32::NAN; 5].into_iter());
        assert_eq!(
            (nothing.mean, nothing.deviation, nothing.flag),
            (0.0, 1.0, false)
        );
    }

    #[test]
    fn frequent_categories_have_lines() {
        let counts = [9, 4, 20, 6];
        let embedded = table(&counts, Categories::Embedded(8));
        assert_eq!(embedded.lines, [1, 0, 2, 3]);
        assert_eq!((embedded.width, embedded.values.len()), (2, 8));
        let one_hot = table(&counts, Categories::OneHot(3));
        assert_eq!(one_hot.lines, [1, 0, 2, 0]);
        assert_eq!(one_hot.values, [1., 0., 0., 0., 1., 0., 0., 0., 1.]);
        let bad = count([vec![0.5]].iter(), "channel").unwrap_err();
        assert!(bad.to_string().contains("`channel` holds 0.5"));
    }
}
