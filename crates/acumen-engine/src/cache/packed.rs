//! A column of numbers in few bytes that give every bit back.
//!
//! Counts and flags are most of a row: whole numbers within a byte or two. What does not fit is
//! kept as it is. A missing value stays missing, whatever its bits were.

/// How the numbers of a column are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Width {
    Byte,
    Short,
    Long,
    Single,
    Double,
}

impl Width {
    const ALL: [Width; 5] = [
        Width::Byte,
        Width::Short,
        Width::Long,
        Width::Single,
        Width::Double,
    ];

    fn bytes(self) -> usize {
        match self {
            Width::Byte => 1,
            Width::Short => 2,
            Width::Long | Width::Single => 4,
            Width::Double => 8,
        }
    }

    /// The narrowest that holds a number with all of its bits.
    fn of(value: f64) -> Width {
        let whole = value == value.trunc() && !(value == 0.0 && value.is_sign_negative());
        // The lowest whole number of each width stands for a missing one.
        let within = |most: f64| whole && (-most..=most).contains(&value);
        match value {
            _ if value.is_nan() || within(f64::from(i8::MAX)) => Width::Byte,
            _ if within(f64::from(i16::MAX)) => Width::Short,
            _ if within(f64::from(i32::MAX)) => Width::Long,
            _ if f64::from(value as f32).to_bits() == value.to_bits() => Width::Single,
            _ => Width::Double,
        }
    }
}

/// Writes a column.
pub(super) fn pack(values: &[f64]) -> Vec<u8> {
    let width = values
        .iter()
        .fold(Width::Byte, |width, value| width.max(common(width, *value)));
    let mut bytes = Vec::with_capacity(1 + values.len() * width.bytes());
    bytes.push(width as u8);
    for &value in values {
        let missing = value.is_nan();
        match width {
            Width::Byte if missing => bytes.push(i8::MIN as u8),
            Width::Byte => bytes.push(value as i8 as u8),
            Width::Short if missing => bytes.extend_from_slice(&i16::MIN.to_le_bytes()),
            Width::Short => bytes.extend_from_slice(&(value as i16).to_le_bytes()),
            Width::Long if missing => bytes.extend_from_slice(&i32::MIN.to_le_bytes()),
            Width::Long => bytes.extend_from_slice(&(value as i32).to_le_bytes()),
            Width::Single => bytes.extend_from_slice(&(value as f32).to_le_bytes()),
            Width::Double => bytes.extend_from_slice(&value.to_le_bytes()),
        }
    }
    bytes
}

/// The width for a number beside others: a whole number may be too long for a single.
fn common(so_far: Width, value: f64) -> Width {
    let own = Width::of(value);
    let single = |value: f64| f64::from(value as f32).to_bits() == value.to_bits();
    match (so_far, own) {
        (Width::Single, Width::Long) if !single(value) => Width::Double,
        // Whole numbers that came before may not be singles either.
        (Width::Long, Width::Single) => Width::Double,
        _ => own,
    }
}

/// Reads a column of so many rows; `None` where the bytes are none.
pub(super) fn unpack(bytes: &[u8], rows: usize) -> Option<Vec<f64>> {
    let (width, bytes) = bytes.split_first()?;
    let width = *Width::ALL.get(usize::from(*width))?;
    if bytes.len() != rows * width.bytes() {
        return None;
    }
    fn each<const N: usize>(bytes: &[u8], read: impl Fn([u8; N]) -> f64) -> Vec<f64> {
        let (chunks, _) = bytes.as_chunks::<N>();
        chunks.iter().map(|chunk| read(*chunk)).collect()
    }
    let whole = |value: i32, missing: i32| match value == missing {
        true => f64::NAN,
        false => f64::from(value),
    };
    Some(match width {
        Width::Byte => each(bytes, |[b]| whole((b as i8).into(), i8::MIN.into())),
        Width::Short => each(bytes, |b| {
            whole(i16::from_le_bytes(b).into(), i16::MIN.into())
        }),
        Width::Long => each(bytes, |b| whole(i32::from_le_bytes(b), i32::MIN)),
        Width::Single => each(bytes, |b| f64::from(f32::from_le_bytes(b))),
        Width::Double => each(bytes, f64::from_le_bytes),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use acumen_base::row::same_bits;
    use proptest::prelude::*;

    fn value() -> impl Strategy<Value = f64> {
        prop_oneof![
            Just(f64::NAN),
            Just(-0.0),
            Just(f64::INFINITY),
            (-200_i32..200).prop_map(f64::from),
            any::<i16>().prop_map(f64::from),
            any::<i32>().prop_map(f64::from),
            any::<f32>().prop_map(f64::from),
            any::<f64>(),
        ]
    }

    proptest! {
        #[test]
        fn every_bit_comes_back(values in prop::collection::vec(value(), 0..12)) {
            let back = unpack(&pack(&values), values.len()).unwrap();
            prop_assert!(same_bits(&values, &back), "{values:?} {back:?}");
        }
    }

    #[test]
    fn counts_take_a_byte_and_damage_is_seen() {
        let bytes = pack(&[0.0, 3.0, f64::NAN, 127.0]);
        assert_eq!(bytes.len(), 5);
        assert!(unpack(&bytes, 5).is_none());
        assert!(unpack(&[9, 0], 1).is_none());
        assert!(unpack(&[], 0).is_none());
    }
}
