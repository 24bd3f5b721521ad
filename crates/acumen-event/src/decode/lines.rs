//! Many events in one text: one a line, or a JSON list. A bad one never harms its neighbours.

use acumen_base::{Event, Time};

use super::rejected::Rejected;
use super::{DecodeLimits, Decoder};

/// One event of many, or why it was not taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// The line that it begins in, from 1.
    pub line: usize,
    /// The event.
    pub result: Result<Event, Rejected>,
}

/// The events of a text, one after the other.
#[derive(Debug)]
pub struct Items<'a> {
    decoder: &'a Decoder,
    pieces: Vec<(usize, &'a [u8])>,
    next: usize,
    default_kind: Option<&'a str>,
    received_at: Time,
    limits: &'a DecodeLimits,
}

impl Decoder {
    /// Decodes newline-delimited JSON; empty lines are passed over.
    pub fn decode_ndjson<'a>(
        &'a self,
        bytes: &'a [u8],
        default_kind: Option<&'a str>,
        received_at: Time,
        limits: &'a DecodeLimits,
    ) -> Items<'a> {
        self.items(lines(bytes), default_kind, received_at, limits)
    }

    /// Decodes one event, a JSON list of events, or newline-delimited JSON, whichever it is.
    pub fn decode_many<'a>(
        &'a self,
        bytes: &'a [u8],
        default_kind: Option<&'a str>,
        received_at: Time,
        limits: &'a DecodeLimits,
    ) -> Items<'a> {
        let pieces = match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
            Some(b'[') => elements(bytes),
            _ => objects(bytes).unwrap_or_else(|| lines(bytes)),
        };
        self.items(pieces, default_kind, received_at, limits)
    }

    fn items<'a>(
        &'a self,
        pieces: Vec<(usize, &'a [u8])>,
        default_kind: Option<&'a str>,
        received_at: Time,
        limits: &'a DecodeLimits,
    ) -> Items<'a> {
        Items {
            decoder: self,
            pieces,
            next: 0,
            default_kind,
            received_at,
            limits,
        }
    }
}

impl Iterator for Items<'_> {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        let (line, piece) = *self.pieces.get(self.next)?;
        self.next += 1;
        let result = self.decoder.decode_from_line(
            piece,
            line,
            self.default_kind,
            self.received_at,
            self.limits,
        );
        Some(Item { line, result })
    }
}

/// The lines that are not empty, with their numbers.
fn lines(bytes: &[u8]) -> Vec<(usize, &[u8])> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let lines = bytes.split(|byte| *byte == b'\n').enumerate();
    lines
        .map(|(index, line)| (index + 1, line.trim_ascii()))
        .filter(|(_, line)| !line.is_empty())
        .collect()
}

/// A text that is one object spread over several lines, as people write it by hand.
fn objects(bytes: &[u8]) -> Option<Vec<(usize, &[u8])>> {
    let first_line = bytes
        .trim_ascii_start()
        .split(|byte| *byte == b'\n')
        .next()?;
    let opens = |line: &[u8]| serde_json::from_slice::<serde::de::IgnoredAny>(line).is_err();
    let whole = serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok();
    (opens(first_line) && whole).then(|| vec![(1, bytes.trim_ascii())])
}

/// The elements of a JSON list, split by brackets and quotes alone, so that one that is no JSON
/// leaves the others whole.
fn elements(bytes: &[u8]) -> Vec<(usize, &[u8])> {
    let mut pieces = Vec::new();
    let (mut line, mut depth, mut in_text, mut escaped) = (1, 0_usize, false, false);
    let (mut start, mut start_line) = (0, 1);
    let mut push = |from: usize, to: usize, line: usize, separated: bool| {
        let piece = bytes[from..to].trim_ascii();
        let leading = bytes[from..to].len() - bytes[from..to].trim_ascii_start().len();
        let skipped = bytes[from..from + leading]
            .iter()
            .filter(|b| **b == b'\n')
            .count();
        if !piece.is_empty() || separated {
            pieces.push((line + skipped, piece));
        }
    };
    for (index, byte) in bytes.iter().enumerate() {
        match byte {
            b'\n' => line += 1,
            _ if escaped => {}
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'[' | b'{' => {
                depth += 1;
                if depth == 1 {
                    (start, start_line) = (index + 1, line);
                }
            }
            b',' if depth == 1 => {
                push(start, index, start_line, true);
                (start, start_line) = (index + 1, line);
            }
            b']' | b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    push(start, index, start_line, false);
                    start = index + 1;
                    start_line = line;
                }
            }
            _ => {}
        }
        escaped = in_text && *byte == b'\\' && !escaped;
    }
    // What follows the list, or a list that does not end, is reported as an event that is no JSON.
    push(start, bytes.len(), start_line, false);
    pieces
}
