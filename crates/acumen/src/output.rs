//! Standard output, for people and for scripts.

use std::io::Write;

use serde::Serialize;

use crate::failure::{Failure, Outcome};

/// Prints a text. A reader that has gone away (`acumen features | head`) ends the program quietly.
pub(crate) fn say(text: impl AsRef<str>) -> Outcome {
    let mut out = std::io::stdout().lock();
    let written = out.write_all(text.as_ref().as_bytes());
    match written
        .and_then(|()| out.write_all(b"\n"))
        .and_then(|()| out.flush())
    {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Err(Failure::Reported),
        Err(error) => Err(Failure::because(format!(
            "cannot write the output: {error}"
        ))),
    }
}

/// Prints a value as JSON, for scripts.
pub(crate) fn say_json(value: &impl Serialize) -> Outcome {
    match serde_json::to_string_pretty(value) {
        Ok(text) => say(text),
        Err(error) => Err(Failure::because(format!(
            "cannot write the output: {error}"
        ))),
    }
}

/// A whole number with its thousands apart: `1,754,155`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number of things: `1 rule`, `2 rules`.
pub(crate) fn counted(number: usize, thing: &str) -> String {
    let many = if number == 1 { "" } else { "s" };
    format!("{} {thing}{many}", thousands(number as u64))
}

/// A share as a percentage, or a dash where there is none.
pub(crate) fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), |share| format!("{:.1} %", 100.0 * share))
}

/// An amount with its thousands apart.
pub(crate) fn amount(money: acumen_base::Money) -> String {
    let text = money.to_string();
    let (sign, text) = text
        .strip_prefix('-')
        .map_or(("", text.as_str()), |rest| ("-", rest));
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let whole = text[..end]
        .parse()
        .map_or_else(|_| text[..end].to_owned(), thousands);
    format!("{sign}{whole}{}", &text[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_easily() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_754_155), "1,754,155");
        assert_eq!(amount("-12345.60 GBP".parse().unwrap()), "-12,345.60 GBP");
        assert_eq!(percent(Some(0.1234)), "12.3 %");
        assert_eq!(percent(None), "–");
    }
}
