//! The page around the sections.

use acumen_base::Time;

use super::About;

const STYLE: &str = include_str!("page.css");

/// Text that may stand in HTML.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            letter => out.push(letter),
        }
    }
    out
}

/// The day of a time.
pub(super) fn day(at: Time) -> String {
    at.to_string().chars().take(10).collect()
}

/// The whole file.
pub(super) fn page(about: &About, at: Time, body: &str) -> String {
    let (name, question) = (escaped(&about.name), escaped(&about.question));
    let (version, over, at) = (escaped(&about.version), escaped(&about.over), day(at));
    let warning = match about.warning.as_str() {
        "" => String::new(),
        text => format!("<p class=\"warning\">{}</p>", escaped(text)),
    };
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>{name}, {at}</title>\
         <style>{STYLE}</style></head><body><main><header><h1>{name}</h1>\
         <p class=\"question\">{question}</p><p class=\"of\">{version} · predicted at {at} for \
         {over}</p>{warning}</header>\n{body}</main></body></html>\n"
    )
}

/// A section with its words before its picture.
pub(super) fn section(title: &str, words: &str, picture: &str) -> String {
    format!("<section><h2>{title}</h2><p>{words}</p>{picture}</section>\n")
}

/// What two colours stand for.
pub(super) fn key(entries: &[(&str, &str)]) -> String {
    let entry = |(class, name): &(&str, &str)| format!("<span class=\"{class}\">{name}</span>");
    let entries: Vec<String> = entries.iter().map(entry).collect();
    format!("<p class=\"key\">{}</p>", entries.join(""))
}

/// A table; the first row is its head.
pub(super) fn table(rows: &[Vec<String>]) -> String {
    let line = |cells: &Vec<String>, tag: &str| {
        let cells = cells
            .iter()
            .map(|cell| format!("<{tag}>{}</{tag}>", escaped(cell)));
        format!("<tr>{}</tr>", cells.collect::<String>())
    };
    let (head, body) = rows.split_at(rows.len().min(1));
    let head: String = head.iter().map(|cells| line(cells, "th")).collect();
    let body: String = body.iter().map(|cells| line(cells, "td")).collect();
    format!("<div class=\"wide\"><table><thead>{head}</thead><tbody>{body}</tbody></table></div>")
}
