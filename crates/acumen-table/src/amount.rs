//! Cells into money: exact, or refused.

use acumen_base::{Currency, Money};

use crate::cell::{Block, Cell};
use crate::field::{Refusal, not, whole_number};

/// How an amount is read; columns are numbers of a block's columns.
pub(crate) struct AmountReading {
    pub(crate) column: usize,
    pub(crate) currency: CurrencyReading,
    pub(crate) times: Option<usize>,
    pub(crate) negated: bool,
}

pub(crate) enum CurrencyReading {
    Fixed(Currency),
    Column(usize),
    /// As a column says, which has to be this one.
    Only(Currency, usize),
    /// The text says it: `12.34 GBP`.
    Inline,
}

impl AmountReading {
    /// The amount of a record; `None` where a cell of it is missing.
    pub(crate) fn read(&self, block: &Block, row: usize) -> Result<Option<Money>, Refusal> {
        let cell = |column: usize| block.columns[column].cell(row);
        let amount = cell(self.column);
        if amount == Cell::Missing {
            return Ok(None);
        }
        let mut money = money(amount, &self.currency, cell)?;
        if let Some(times) = self.times {
            let Some(factor) = whole_number(cell(times))? else {
                return Ok(None);
            };
            let minor = money.minor.checked_mul(factor);
            money.minor = minor.ok_or_else(|| not(amount, "an amount that fits"))?;
        }
        Ok(Some(match self.negated {
            true => money.negate(),
            false => money,
        }))
    }
}

fn money<'a>(
    amount: Cell<'a>,
    currency: &CurrencyReading,
    cell: impl Fn(usize) -> Cell<'a>,
) -> Result<Money, Refusal> {
    const HELP: &str = "amounts are in major units, with the decimals of their currency";
    let currency = match currency {
        CurrencyReading::Fixed(currency) => *currency,
        CurrencyReading::Column(column) => code(cell(*column))?,
        CurrencyReading::Only(declared, column) => match code(cell(*column))? {
            found if found == *declared => found,
            found => {
                return Err((
                    format!("an amount in {found}, where all are declared to be in {declared}"),
                    "convert it before, or leave `currency` out to take every amount in its own",
                ));
            }
        },
        CurrencyReading::Inline => {
            let Cell::Text(text) = amount else {
                return Err(not(amount, "an amount with its currency"));
            };
            let read: Result<Money, _> = text.trim().parse();
            return read.map_err(|error| (error.to_string(), "write `12.34 GBP`"));
        }
    };
    match amount {
        Cell::Int(value) => value
            .checked_mul(currency.units())
            .map(|minor| Money::new(minor, currency))
            .ok_or_else(|| not(amount, "an amount that fits")),
        Cell::Float(value) => decimal_amount(value, currency),
        Cell::Text(text) => {
            Money::parse(text.trim(), currency).map_err(|error| (error.to_string(), HELP))
        }
        other => Err(not(other, "an amount")),
    }
}

fn code(cell: Cell<'_>) -> Result<Currency, Refusal> {
    let Cell::Text(code) = cell else {
        return Err(not(cell, "a currency code"));
    };
    let read: Result<Currency, _> = code.trim().parse();
    read.map_err(|error| (error.to_string(), "write the three letters of ISO 4217"))
}

/// A decimal number that is a whole count of minor units, up to what a number can hold.
fn decimal_amount(value: f64, currency: Currency) -> Result<Money, Refusal> {
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    let scaled = value * currency.units() as f64;
    let minor = scaled.round();
    if !minor.is_finite() || minor.abs() > EXACT_MAX {
        return Err(not(Cell::Float(value), "an amount that fits"));
    }
    let tolerance = f64::max(1e-6, 4.0 * f64::EPSILON * scaled.abs());
    if (scaled - minor).abs() > tolerance {
        return Err((
            format!(
                "{value} has more decimals than {currency} has ({})",
                currency.exponent()
            ),
            "round it to whole minor units before the import",
        ));
    }
    Ok(Money::new(minor as i64, currency))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_amounts_are_exact_or_refused() {
        let amount = |value| decimal_amount(value, Currency::GBP).map(|money| money.minor);
        for minor in [0, 1, 29, 57, 115, 1_999, 123_456_789_012] {
            assert_eq!(amount(minor as f64 / 100.0), Ok(minor));
        }
        for wrong in [0.001, 12.345, f64::NAN, f64::INFINITY, 1e17] {
            assert!(amount(wrong).is_err(), "{wrong}");
        }
    }
}
