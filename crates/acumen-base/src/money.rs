//! Money: minor units and a currency, never a float.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An ISO 4217 currency code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3], u8);

/// An amount in minor units (pence, cents, yen) of its currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// Whole minor units: 1234 is £12.34 or ¥1234.
    pub minor: i64,
    /// The currency that the units are of.
    pub currency: Currency,
}

/// Why a text or a number is not money.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The code is not one of ISO 4217.
    #[error("`{0}` is not an ISO 4217 currency code, such as `GBP`")]
    UnknownCurrency(String),
    /// The amount is not a decimal number.
    #[error("`{0}` is not a decimal amount")]
    NotANumber(String),
    /// The amount has more decimals than the currency.
    #[error("`{0}` has more decimals than {1} has ({2})")]
    TooPrecise(String, Currency, u8),
    /// The amount does not fit.
    #[error("`{0}` is too large an amount")]
    TooLarge(String),
    /// Two amounts of different currencies met without a rate.
    #[error("{0} and {1} cannot be combined without a rate")]
    Mixed(Currency, Currency),
}

impl Currency {
    /// Pounds sterling.
    pub const GBP: Currency = Currency(*b"GBP", 2);

    /// The three letters.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("???")
    }

    /// Decimal digits of the minor unit: 2 for GBP, 0 for JPY.
    pub fn exponent(&self) -> u8 {
        self.1
    }

    /// How many minor units make one major unit.
    pub fn units(&self) -> i64 {
        10_i64.pow(u32::from(self.1))
    }
}

impl FromStr for Currency {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || MoneyError::UnknownCurrency(text.into());
        let known = iso_currency::Currency::from_code(text).ok_or_else(unknown)?;
        let code: [u8; 3] = text.as_bytes().try_into().map_err(|_| unknown())?;
        Ok(Currency(code, known.exponent().unwrap_or(0) as u8))
    }
}

impl TryFrom<String> for Currency {
    type Error = MoneyError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> String {
        currency.code().to_owned()
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Money {
    /// An amount of minor units.
    pub fn new(minor: i64, currency: Currency) -> Money {
        Money { minor, currency }
    }

    /// Reads a decimal amount (`12.34`) of the currency.
    pub fn parse(amount: &str, currency: Currency) -> Result<Money, MoneyError> {
        let not_a_number = || MoneyError::NotANumber(amount.into());
        let (negative, digits) = match amount.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, amount),
        };
        let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !all_digits(whole) || !all_digits(decimals) {
            return Err(not_a_number());
        }
        let decimals = decimals.trim_end_matches('0');
        let exponent = currency.exponent();
        if decimals.len() > usize::from(exponent) {
            return Err(MoneyError::TooPrecise(amount.into(), currency, exponent));
        }
        let padded = format!("{whole}{decimals:0<width$}", width = usize::from(exponent));
        let minor: i64 = padded
            .parse()
            .map_err(|_| MoneyError::TooLarge(amount.into()))?;
        Ok(Money::new(if negative { -minor } else { minor }, currency))
    }

    /// The amount in major units, for features and pictures; arithmetic stays in minor units.
    pub fn major(&self) -> f64 {
        self.minor as f64 / self.currency.units() as f64
    }

    /// The sum, if both are of one currency and it fits.
    pub fn plus(self, other: Money) -> Result<Money, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::Mixed(self.currency, other.currency));
        }
        let minor = self.minor.checked_add(other.minor);
        minor
            .map(|minor| Money::new(minor, self.currency))
            .ok_or_else(|| MoneyError::TooLarge(self.to_string()))
    }

    /// The negated amount.
    pub fn negate(self) -> Money {
        Money::new(self.minor.saturating_neg(), self.currency)
    }

    /// Converts at `rate` major units of `to` per major unit of this currency, half to even.
    pub fn convert(self, rate: f64, to: Currency) -> Money {
        if self.currency == to {
            return self;
        }
        let scale = to.units() as f64 / self.currency.units() as f64;
        Money::new(
            (self.minor as f64 * rate * scale).round_ties_even() as i64,
            to,
        )
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = self.currency.units().unsigned_abs();
        let (whole, rest) = (
            self.minor.unsigned_abs() / units,
            self.minor.unsigned_abs() % units,
        );
        let sign = if self.minor < 0 { "-" } else { "" };
        match self.currency.exponent() {
            0 => write!(f, "{sign}{whole} {}", self.currency),
            width => {
                write!(
                    f,
                    "{sign}{whole}.{rest:0width$} {}",
                    self.currency,
                    width = width.into()
                )
            }
        }
    }
}

impl FromStr for Money {
    type Err = MoneyError;

    /// `12.34 GBP`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (amount, code) = text
            .split_once(' ')
            .ok_or_else(|| MoneyError::NotANumber(text.into()))?;
        Money::parse(amount, code.parse()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact() {
        for text in [
            "12.34 GBP",
            "-0.05 GBP",
            "1234 JPY",
            "1.234 KWD",
            "0.00 EUR",
        ] {
            assert_eq!(text.parse::<Money>().unwrap().to_string(), text);
        }
        assert!(matches!(
            "1.234 GBP".parse::<Money>(),
            Err(MoneyError::TooPrecise(..))
        ));
        assert!(matches!(
            "1 ZZZ".parse::<Money>(),
            Err(MoneyError::UnknownCurrency(_))
        ));
        assert!(matches!(
            "NaN GBP".parse::<Money>(),
            Err(MoneyError::NotANumber(_))
        ));
        assert!(matches!(
            "1e3 GBP".parse::<Money>(),
            Err(MoneyError::NotANumber(_))
        ));
        assert!("99999999999999999999 GBP".parse::<Money>().is_err());
    }

    #[test]
    fn currencies_never_mix_by_accident() {
        let pounds: Money = "10.00 GBP".parse().unwrap();
        let yen: Money = "1000 JPY".parse().unwrap();
        assert!(pounds.plus(yen).is_err());
        assert_eq!(yen.convert(0.005, Currency::GBP).to_string(), "5.00 GBP");
    }
}
