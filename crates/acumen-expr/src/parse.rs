//! Text into a bounded tree, and the parser's complaints into ours.

use acumen_base::limits::EXPRESSION_BYTES_MAX;
use cel::common::ast::SourceInfo;
use cel::{Env, IdedExpr, ParseErrors};

use crate::compiled::ExprError;

/// Brackets within brackets.
const NESTING_MAX: u16 = 24;
/// Operators and dots, which are what else makes a tree deep; those in quoted texts count too.
const OPERATORS_MAX: usize = 512;
/// Complaints of the parser about one text.
const RECOVERIES_MAX: u32 = 8;

/// A parsed text.
pub(crate) struct Tree {
    pub(crate) root: IdedExpr,
    pub(crate) positions: SourceInfo,
}

/// Parses a text of bounded length and depth.
pub(crate) fn parse(text: &str) -> Result<Tree, Vec<ExprError>> {
    refuse_outsized(text).map_err(|error| vec![error])?;
    // An environment without macros: `has` and the loops reach the checker as they were written.
    let parser = Env::default()
        .parser()
        .enable_optional_syntax(false)
        .max_recursion_depth(NESTING_MAX)
        .error_recovery_limit(RECOVERIES_MAX);
    match parser.parse_with_source_info(text) {
        Ok((root, positions)) => Ok(Tree { root, positions }),
        Err(errors) => Err(explain(text, &errors)),
    }
}

fn refuse_outsized(text: &str) -> Result<(), ExprError> {
    let refuse = |message: String| {
        Err(ExprError {
            offset: 0,
            message,
            help: "split it: declare a part of it as a feature of its own and read that".into(),
        })
    };
    if text.trim().is_empty() {
        return Err(ExprError {
            offset: 0,
            message: "the expression is empty".into(),
            help: "write a CEL expression, such as `order.amount > money('10 GBP')`".into(),
        });
    }
    if text.len() > EXPRESSION_BYTES_MAX {
        return refuse(format!(
            "the expression has {} bytes, more than {EXPRESSION_BYTES_MAX}",
            text.len()
        ));
    }
    let symbols = text.bytes().filter(|byte| b"+-*/%.<>=!?&|".contains(byte));
    let words = text.match_indices("in").count();
    let operators = symbols.count() + words;
    if operators > OPERATORS_MAX {
        return refuse(format!(
            "the expression has {operators} operators and dots, more than {OPERATORS_MAX}"
        ));
    }
    Ok(())
}

fn explain(text: &str, errors: &ParseErrors) -> Vec<ExprError> {
    let mut explained: Vec<ExprError> = Vec::new();
    for error in &errors.errors {
        let offset = byte_offset(text, error.pos);
        let (message, help) = reword(&error.msg);
        if !explained.iter().any(|e| e.offset == offset) {
            explained.push(ExprError {
                offset,
                message,
                help,
            });
        }
    }
    explained
}

/// The parser counts lines and characters from 1; what it cannot place is at (0, 0).
fn byte_offset(text: &str, (line, column): (isize, isize)) -> usize {
    let (Ok(line), Ok(column)) = (usize::try_from(line), usize::try_from(column)) else {
        return 0;
    };
    let before: usize = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    let within = text[before..]
        .char_indices()
        .nth(column.saturating_sub(1))
        .map_or(text.len() - before, |(at, _)| at);
    before + within
}

/// The parser's message without the list of everything that could have followed.
fn reword(message: &str) -> (String, String) {
    let message = message.strip_prefix("Syntax error: ").unwrap_or(message);
    if message == "UNKNOWN" || message.starts_with("Recursion limit") {
        return (
            format!("brackets are nested deeper than {NESTING_MAX}, or do not match"),
            "close every bracket, or declare a part of it as a feature of its own".into(),
        );
    }
    let short = message.split(" expecting ").next().unwrap_or(message);
    let help = match short {
        _ if short.contains("<EOF>") => "the expression ends too early: complete it",
        _ if short.contains("token recognition error") => {
            "texts stand in single or double quotes: 'abc'"
        }
        _ if short.contains("reserved identifier") => "this word is reserved by CEL: rename it",
        _ => "see the CEL syntax: operators are && || ! == != < <= > >= in + - * / % ? :",
    };
    (format!("not a CEL expression: {short}"), help.to_owned())
}
