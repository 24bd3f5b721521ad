//! One JSON value as the value of a declared field.

use acumen_base::money::MoneyError;
use acumen_base::{Currency, Field, FieldType, Geo, Money, Time, Value};

use super::DecodeLimits;
use super::json::{Json, shorten};
use super::rejected::Problem;

/// Reads the value of any field but money, which needs its currency.
pub(super) fn read(
    field: &Field,
    json: &Json<'_>,
    limits: &DecodeLimits,
) -> Result<Value, Problem> {
    match (field.kind, json) {
        (FieldType::Bool, Json::Bool(value)) => Ok(Value::Bool(*value)),
        (FieldType::Id, Json::Int(value)) => Ok(Value::text(&value.to_string())),
        (FieldType::Id, Json::Text(text)) => bounded(field, text, limits.id_bytes),
        (FieldType::Category | FieldType::Text, Json::Text(text)) => {
            bounded(field, text, limits.text_bytes)
        }
        (FieldType::Int, Json::Int(value)) => {
            not_negative(field, *value < 0, json)?;
            Ok(Value::Int(*value))
        }
        (FieldType::Int, Json::Number(value)) if value.fract() == 0.0 && value.abs() < 9.0e15 => {
            not_negative(field, *value < 0.0, json)?;
            Ok(Value::Int(*value as i64))
        }
        (FieldType::Number, Json::Int(value)) => {
            not_negative(field, *value < 0, json)?;
            Ok(Value::Number(*value as f64))
        }
        (FieldType::Number, Json::Number(value)) => {
            not_negative(field, *value < 0.0, json)?;
            Ok(Value::Number(*value))
        }
        (FieldType::Number | FieldType::Int, Json::Text(text)) if is_not_finite(text) => {
            Err(not_finite(Some(&field.name), text))
        }
        (FieldType::Time, _) => instant(&field.name, json).map(Value::Time),
        (FieldType::Geo, Json::Object(entries)) => place(field, entries),
        _ => Err(wrong_type(&field.name, field.kind.name(), json)),
    }
}

/// Reads an amount: a number, decimal text, or `{amount, currency}`.
pub(super) fn money(
    field: &Field,
    json: &Json<'_>,
    currency: Option<Currency>,
) -> Result<Value, Problem> {
    let name = field.name.as_str();
    let need = || {
        currency.ok_or_else(|| {
            Problem::new(
                "missing_currency",
                Some(name),
                format!("`{name}` has no currency"),
                "send a `currency` beside it, such as \"GBP\", or `{\"amount\": …, \"currency\": …}`",
            )
        })
    };
    let parsed = match json {
        Json::Int(value) => Money::parse(&value.to_string(), need()?),
        Json::Number(value) => Money::parse(&value.to_string(), need()?),
        Json::Text(text) if is_not_finite(text) => return Err(not_finite(Some(name), text)),
        Json::Text(text) => Money::parse(text, need()?),
        Json::Object(entries) => return money_object(field, entries, json),
        _ => return Err(wrong_type(name, "money", json)),
    };
    let money = parsed.map_err(|error| money_problem(name, &error))?;
    not_negative(field, money.minor < 0, json)?;
    Ok(Value::Money(money))
}

fn money_object(
    field: &Field,
    entries: &[(std::borrow::Cow<'_, str>, Json<'_>)],
    json: &Json<'_>,
) -> Result<Value, Problem> {
    let name = field.name.as_str();
    let (mut amount, mut code) = (None, None);
    for (key, value) in entries {
        let slot = match key.as_ref() {
            "amount" => &mut amount,
            "currency" => &mut code,
            other => return Err(unknown_part(name, other, "`amount` and `currency`")),
        };
        if slot.replace(value).is_some() {
            return Err(duplicate(&format!("{name}.{key}")));
        }
    }
    let nested = |json: &&Json<'_>| !matches!(json, Json::Object(_));
    match (amount.filter(nested), code) {
        (Some(amount), Some(code)) => money(field, amount, Some(currency_of(name, code)?)),
        (Some(amount), None) => money(field, amount, None),
        _ => Err(wrong_type(name, "money as `{amount, currency}`", json)),
    }
}

/// Reads a currency code.
pub(super) fn currency_of(field: &str, json: &Json<'_>) -> Result<Currency, Problem> {
    let Some(code) = json.as_text() else {
        return Err(wrong_type(field, "a currency code", json));
    };
    code.parse().map_err(|error| money_problem(field, &error))
}

fn money_problem(field: &str, error: &MoneyError) -> Problem {
    let (code, help) = match error {
        MoneyError::UnknownCurrency(_) => (
            "unknown_currency",
            "send an ISO 4217 code in capital letters",
        ),
        MoneyError::NotANumber(_) => (
            "wrong_type",
            "send a number, or a decimal text such as \"12.34\"",
        ),
        MoneyError::TooPrecise(..) => (
            "too_precise",
            "round the amount to the currency's minor unit before sending it",
        ),
        MoneyError::TooLarge(_) | MoneyError::Mixed(..) => {
            ("out_of_range", "send a smaller amount")
        }
    };
    Problem::new(code, Some(field), format!("`{field}`: {error}"), help)
}

/// Reads an instant: RFC 3339, or whole milliseconds since 1970.
pub(super) fn instant(field: &str, json: &Json<'_>) -> Result<Time, Problem> {
    let help = "send RFC 3339 such as \"2026-03-01T12:30:00Z\", or whole milliseconds since 1970";
    let at = match json {
        Json::Int(millis) => Time(*millis),
        Json::Text(text) => text.parse::<Time>().map_err(|_| {
            let message = format!("`{field}`: `{}` is no time", shorten(text));
            Problem::new("impossible_time", Some(field), message, help)
        })?,
        _ => {
            return Err(Problem {
                help: help.into(),
                ..wrong_type(field, "time", json)
            });
        }
    };
    if at.is_plausible() {
        return Ok(at);
    }
    Err(Problem::new(
        "impossible_time",
        Some(field),
        format!("`{field}`: {at} is not between 1900 and 2200"),
        help,
    ))
}

fn place(
    field: &Field,
    entries: &[(std::borrow::Cow<'_, str>, Json<'_>)],
) -> Result<Value, Problem> {
    let name = field.name.as_str();
    let mut parts: [Option<f64>; 3] = [None; 3];
    for (key, value) in entries {
        let slot = match key.as_ref() {
            "lat" => 0,
            "lon" => 1,
            "accuracy_km" => 2,
            other => return Err(unknown_part(name, other, "`lat`, `lon` and `accuracy_km`")),
        };
        let number = match value {
            Json::Int(number) => *number as f64,
            Json::Number(number) => *number,
            Json::Null => continue,
            other => return Err(wrong_type(&format!("{name}.{key}"), "number", other)),
        };
        if parts[slot].replace(number).is_some() {
            return Err(duplicate(&format!("{name}.{key}")));
        }
    }
    let [Some(lat), Some(lon), accuracy_km] = parts else {
        let message = format!("`{name}` needs `lat` and `lon`");
        let help = "send `{\"lat\": 51.5, \"lon\": -0.1, \"accuracy_km\": 5}`";
        return Err(Problem::new("missing_field", Some(name), message, help));
    };
    let accuracy_km = accuracy_km.unwrap_or(0.0);
    let possible =
        lat.abs() <= 90.0 && lon.abs() <= 180.0 && (0.0..=20_100.0).contains(&accuracy_km);
    if !possible {
        return Err(Problem::new(
            "out_of_range",
            Some(name),
            format!("`{name}`: {lat}, {lon} (±{accuracy_km} km) is no place on the earth"),
            "latitudes go from -90 to 90, longitudes from -180 to 180; check their order",
        ));
    }
    Ok(Value::Geo(Geo {
        lat,
        lon,
        accuracy_km: accuracy_km as f32,
    }))
}

/// Text of at most so many bytes.
fn bounded(field: &Field, text: &str, limit: usize) -> Result<Value, Problem> {
    check_length(&field.name, text, limit)?;
    Ok(Value::text(text))
}

pub(super) fn check_length(field: &str, text: &str, limit: usize) -> Result<(), Problem> {
    if text.len() <= limit {
        return Ok(());
    }
    Err(Problem::new(
        "too_long",
        Some(field),
        format!("`{field}` has {} bytes, more than {limit}", text.len()),
        format!("send at most {limit} bytes"),
    ))
}

fn not_negative(field: &Field, negative: bool, json: &Json<'_>) -> Result<(), Problem> {
    if !negative || field.signed {
        return Ok(());
    }
    let name = &field.name;
    Err(Problem::new(
        "negative",
        Some(name),
        format!("`{name}` may not be negative, found {}", json.describe()),
        "send its size, or declare the field `signed: true`",
    ))
}

pub(super) fn is_not_finite(text: &str) -> bool {
    let unsigned = text.trim_start_matches(['-', '+']);
    ["nan", "inf", "infinity"]
        .iter()
        .any(|name| unsigned.eq_ignore_ascii_case(name))
}

pub(super) fn not_finite(field: Option<&str>, text: &str) -> Problem {
    let place = field.map_or(String::new(), |field| format!("`{field}`: "));
    Problem::new(
        "not_finite",
        field,
        format!("{place}`{text}` is not a number"),
        "leave the field out where there is no value",
    )
}

pub(super) fn wrong_type(field: &str, wanted: &str, json: &Json<'_>) -> Problem {
    Problem::new(
        "wrong_type",
        Some(field),
        format!("`{field}` must be {wanted}, found {}", json.describe()),
        format!("send {wanted}"),
    )
}

pub(super) fn duplicate(path: &str) -> Problem {
    Problem::new(
        "duplicate_key",
        Some(path),
        format!("`{path}` is there twice"),
        "send it once: which of the two is meant cannot be known",
    )
}

fn unknown_part(field: &str, part: &str, valid: &str) -> Problem {
    Problem::new(
        "unknown_field",
        Some(&format!("{field}.{part}")),
        format!("unknown field `{field}.{}`", shorten(part)),
        format!("`{field}` holds {valid}"),
    )
}
