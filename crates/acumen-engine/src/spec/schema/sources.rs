//! The JSON Schemas of sources and of mappings.

use serde_json::{Value, json};

use super::{group, of_names, text, words};

const FORMATS: [&str; 3] = ["parquet", "csv", "ndjson"];

/// The schema of a file of `catalogue/sources`, draft 2020-12.
pub fn source_schema() -> Value {
    let keys = json!({
        "read": text("What it is and where it lies: `postgres://…`, `sqlite:shop.db`, `s3://bucket/prefix`, a folder or a file. `${NAME}` is a variable of the environment."),
        "table": text("The table of a database, with its schema where it needs one."),
        "watermark": text("A column that only grows; without it the whole table is read each time."),
        "format": words("The format of objects whose names do not say it.", &FORMATS),
        "events": events(),
    });
    whole(
        "A source of Acumen",
        group("Where events come from.", &["read", "events"], keys),
    )
}

/// The schema of a mapping, draft 2020-12.
pub fn mapping_schema() -> Value {
    let format = json!({"format": words("Where the file's name does not say it.", &FORMATS)});
    let keys = json!({
        "source": group("What the file is.", &[], format),
        "events": events(),
    });
    whole(
        "A mapping of Acumen",
        group("How records become events.", &["events"], keys),
    )
}

fn whole(title: &str, mut schema: Value) -> Value {
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!(title);
    schema
}

fn events() -> Value {
    let known_at = json!({"anyOf": [time(), group("So long after it happened.", &["delay"], json!({
        "delay": text("A span such as 7d."),
    }))]});
    let conditions = json!({
        "description": "Which records give this event: one condition, or a list of which all have to hold.",
        "anyOf": [condition(), {"type": "array", "items": condition()}],
    });
    of_names(
        "The events that a record gives, by their declared types.",
        group(
            "How a record becomes an event.",
            &["id", "time", "fields"],
            json!({
                "id": text("A column, or a text over columns: `o-{order_no}`."),
                "time": time(),
                "known_at": known_at,
                "when": conditions,
                "guest_without": text("A column: a record that has nothing in it is a guest's, which is counted and gives no event."),
                "after": group("What it must not come before: the first event of a type with the same value in a field.", &["event", "by"], json!({
                    "event": text("The type of event that comes first."),
                    "by": text("The field that both have."),
                })),
                "fields": of_names("Where each field comes from; a group's field is named with a dot.", field()),
            }),
        ),
    )
}

fn time() -> Value {
    json!({"anyOf": [text("A column of instants."), group("A column of instants.", &["column"], instant())]})
}

fn instant() -> Value {
    json!({
        "column": text("The column."),
        "timezone": text("Of the clock of instants without an offset: `UTC`, or `+02:00`."),
        "unit": words("The unit of a column of numbers.", &["s", "ms"]),
        "origin": text("The instant that numbers count from; 1970-01-01 unless given."),
    })
}

fn condition() -> Value {
    let scalar = |doc: &str| json!({"description": doc, "type": ["string", "number", "boolean"]});
    group(
        "A condition on a column: one test.",
        &["column"],
        json!({
            "column": text("The column."),
            "equals": scalar("It is this."),
            "not_equals": scalar("It is anything else."),
            "below": {"type": "number", "description": "It is a number below this one."},
            "at_least": {"type": "number", "description": "It is this number or one above it."},
            "starts_with": text("It begins so."),
            "not_starts_with": text("It does not begin so."),
        }),
    )
}

fn field() -> Value {
    let mut keys = instant();
    let more = json!({
        "currency": text("The currency of the amounts, such as GBP."),
        "currency_column": text("The column of each amount's currency; with `currency` beside it, any other is refused."),
        "times": text("A column of whole numbers that each amount is multiplied by."),
        "negated": {"type": "boolean", "description": "Whether the sign is turned round."},
        "lat": text("The column of degrees north."),
        "lon": text("The column of degrees east."),
        "accuracy_km": {"description": "How precise a place is: kilometres, or a column.", "type": ["number", "string"]},
    });
    for (key, value) in more.as_object().into_iter().flatten() {
        keys[key] = value.clone();
    }
    json!({"anyOf": [text("A column, or a text over columns."), group("A column with what it leaves unsaid.", &[], keys)]})
}
