//! YAML as a tree in which every key and value knows its place.
//!
//! A derived parser stops at the first mistake; a tree that is walked gives them all.

use std::ops::Range;

use acumen_base::limits::SPEC_BYTES_MAX;
use acumen_base::{Diagnostic, Place};
use serde_saphyr::granit_parser::{Event, Marker, Parser, ScalarStyle, Span};

/// How deep a spec may nest.
const DEPTH_MAX: usize = 32;

/// A value.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) line: u32,
    pub(super) column: u32,
    /// Where it stands in the file.
    pub(super) bytes: Range<usize>,
}

/// What a value is.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// Nothing, `~` or `null`.
    Null,
    /// Text, a number, a flag: what it is depends on what is wanted.
    Scalar {
        text: String,
        /// Without quotes, and so perhaps a number or a flag.
        plain: bool,
    },
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// A key.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) text: String,
    pub(super) line: u32,
    pub(super) column: u32,
}

impl Key {
    pub(super) fn place(&self, file: &str) -> Place {
        place(file, self.line, self.column)
    }
}

impl Node {
    pub(super) fn place(&self, file: &str) -> Place {
        place(file, self.line, self.column)
    }

    /// What it is, for people.
    pub(super) fn describe(&self) -> String {
        match &self.kind {
            Kind::Null => "nothing".to_owned(),
            Kind::Scalar { text, .. } => format!("`{}`", shorten(text)),
            Kind::List(_) => "a list".to_owned(),
            Kind::Map(_) => "a group of keys".to_owned(),
        }
    }
}

fn place(file: &str, line: u32, column: u32) -> Place {
    Place {
        file: file.to_owned(),
        line,
        column,
    }
}

/// The beginning of a text that may be long.
pub(super) fn shorten(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    match line.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

/// Reads a file's bytes; `None` where it is not YAML at all, with the reason among `found`.
///
/// A key that stands twice is reported, and its first value kept.
pub(super) fn parse(file: &str, bytes: &[u8], found: &mut Vec<Diagnostic>) -> Option<Node> {
    let mut problem = |place: Place, code, message: String, help: &str| {
        let mut diagnostic = Diagnostic::new(code, message, help);
        diagnostic.place = place;
        found.push(diagnostic);
    };
    if bytes.len() > SPEC_BYTES_MAX {
        let message = format!("the file has {} bytes", bytes.len());
        let help = format!("a spec file may have {SPEC_BYTES_MAX}");
        problem(place(file, 0, 0), "too_big", message, &help);
        return None;
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let before = &bytes[..error.valid_up_to()];
            let line = before.iter().filter(|b| **b == b'\n').count() as u32 + 1;
            let last = before.rsplit(|b| *b == b'\n').next().unwrap_or_default();
            let column = String::from_utf8_lossy(last).chars().count() as u32 + 1;
            let help = "save the file in UTF-8";
            let message = "this byte is not UTF-8".to_owned();
            problem(place(file, line, column), "not_utf8", message, help);
            return None;
        }
    };
    let mut builder = Builder {
        parser: Parser::new_from_str(text),
        repeated: Vec::new(),
    };
    let tree = builder.document();
    for key in builder.repeated {
        let message = format!("the key `{}` stands here a second time", key.text);
        let help = "keep one of the two";
        problem(key.place(file), "duplicate_key", message, help);
    }
    match tree {
        Ok(tree) => Some(tree),
        Err(failure) => {
            let place = place(file, failure.line, failure.column);
            problem(place, failure.code, failure.message, failure.help);
            None
        }
    }
}

struct Failure {
    code: &'static str,
    message: String,
    help: &'static str,
    line: u32,
    column: u32,
}

struct Builder<'a> {
    parser: Parser<'a, serde_saphyr::granit_parser::StrInput<'a>>,
    repeated: Vec<Key>,
}

impl<'a> Builder<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span), Failure> {
        loop {
            let next = self.parser.next_event();
            return match next {
                Some(Ok((Event::Comment(..), _))) => continue,
                Some(Ok(event)) => Ok(event),
                Some(Err(error)) => {
                    let (line, column) = position(error.marker());
                    Err(Failure {
                        code: "not_yaml",
                        message: error.info(),
                        help: "check the indentation, quotes and brackets around this place",
                        line,
                        column,
                    })
                }
                None => Ok((Event::StreamEnd, Span::default())),
            };
        }
    }

    fn document(&mut self) -> Result<Node, Failure> {
        let tree = loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamStart | Event::DocumentStart(..) => {}
                Event::StreamEnd | Event::DocumentEnd => {
                    return Ok(Node {
                        kind: Kind::Null,
                        line: 1,
                        column: 1,
                        bytes: 0..0,
                    });
                }
                event => break self.node(event, &span, 0)?,
            }
        };
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => return Ok(tree),
                Event::DocumentStart(..) => {
                    let help = "put it into a file of its own";
                    return Err(refused("a second document begins here", help, &span));
                }
                _ => {}
            }
        }
    }

    fn node(&mut self, event: Event<'a>, span: &Span, depth: usize) -> Result<Node, Failure> {
        if depth > DEPTH_MAX {
            let help = "no key of a spec lies deeper than a few levels";
            return Err(refused("this nests too deeply", help, span));
        }
        let kind = match event {
            Event::Scalar(text, style, ..) => scalar(text.into_owned(), style),
            Event::SequenceStart(..) => {
                let mut items = Vec::new();
                loop {
                    let (event, span) = self.next()?;
                    if matches!(event, Event::SequenceEnd) {
                        break Kind::List(items);
                    }
                    items.push(self.node(event, &span, depth + 1)?);
                }
            }
            Event::MappingStart(..) => Kind::Map(self.entries(depth)?),
            Event::Alias(_) => {
                let help = "write the value out: a spec has no anchors";
                return Err(refused("this refers to another place", help, span));
            }
            _ => {
                let help = "check the indentation, quotes and brackets around this place";
                return Err(refused("a value is expected here", help, span));
            }
        };
        let (line, column) = position(&span.start);
        Ok(Node {
            kind,
            line,
            column,
            bytes: span.byte_range().unwrap_or(0..0),
        })
    }

    fn entries(&mut self, depth: usize) -> Result<Vec<(Key, Node)>, Failure> {
        let mut entries: Vec<(Key, Node)> = Vec::new();
        loop {
            let (event, span) = self.next()?;
            let text = match event {
                Event::MappingEnd => return Ok(entries),
                Event::Scalar(text, ..) => text.into_owned(),
                _ => {
                    return Err(refused(
                        "a key must be a name",
                        "write `name: value`",
                        &span,
                    ));
                }
            };
            let (line, column) = position(&span.start);
            let key = Key { text, line, column };
            let (event, span) = self.next()?;
            let value = self.node(event, &span, depth + 1)?;
            if entries.iter().any(|(other, _)| other.text == key.text) {
                self.repeated.push(key);
            } else {
                entries.push((key, value));
            }
        }
    }
}

fn scalar(text: String, style: ScalarStyle) -> Kind {
    let plain = style == ScalarStyle::Plain;
    if plain && matches!(text.as_str(), "" | "~" | "null") {
        return Kind::Null;
    }
    Kind::Scalar { text, plain }
}

fn refused(message: &str, help: &'static str, span: &Span) -> Failure {
    let (line, column) = position(&span.start);
    Failure {
        code: "not_yaml",
        message: message.to_owned(),
        help,
        line,
        column,
    }
}

/// Lines and columns that count from 1.
fn position(marker: &Marker) -> (u32, u32) {
    (marker.line() as u32, marker.col() as u32 + 1)
}
