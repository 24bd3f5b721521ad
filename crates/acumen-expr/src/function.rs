//! Functions: presence, texts, conversions, amounts and small mathematics.

use std::cmp::Ordering;
use std::sync::Arc;

use acumen_base::nearest;
use cel::IdedExpr;
use cel::common::ast::{CallExpr, Expr, LiteralValue};

use crate::arithmetic;
use crate::check::{Checker, conversion_help, dotted};
use crate::comparison;
use crate::literal::{self, Problem};
use crate::node::{Get, Node, both, finite, one};
use crate::value::{Type, Val};

/// Every function, with how it is written.
const FUNCTIONS: [(&str, &str); 16] = [
    ("has", "has(order.amount)"),
    ("size", "size(text)"),
    ("startsWith", "text.startsWith('a')"),
    ("endsWith", "text.endsWith('z')"),
    ("contains", "text.contains('m')"),
    ("double", "double(x)"),
    ("int", "int(x)"),
    ("string", "string(x)"),
    ("money", "money('12 GBP')"),
    ("duration", "duration('5m')"),
    ("timestamp", "timestamp('2026-03-01T12:30:00Z')"),
    ("abs", "abs(x)"),
    ("min", "min(x, y)"),
    ("max", "max(x, y)"),
    ("major", "major(amount)"),
    ("seconds", "seconds(duration)"),
];

/// Macros of CEL that run over elements.
const LOOPS: [&str; 5] = ["all", "exists", "exists_one", "map", "filter"];

impl Checker<'_> {
    /// A call of a function, `f(x)` or `x.f(y)`.
    pub(crate) fn function(&mut self, expr: &IdedExpr, call: &CallExpr) -> Option<Node> {
        let name = call.func_name.trim_start_matches('.');
        if LOOPS.contains(&name) {
            return self.error(
                expr,
                format!("`{name}` is a loop, and expressions have none"),
                "compare single values; counts, sums and shares over many are features",
            );
        }
        let args: Vec<&IdedExpr> = call
            .target
            .as_deref()
            .into_iter()
            .chain(&call.args)
            .collect();
        match (name, call.target.is_some(), args.as_slice()) {
            ("has", false, [path]) => self.has(path),
            ("size", _, [text]) => {
                let text = self.text_argument(text)?;
                let size = |text: Arc<str>| i64::try_from(text.chars().count()).ok();
                Some(Node::Int(one(text, size)))
            }
            ("startsWith", true, [a, b]) => self.texts(a, b, |a, b| a.starts_with(b)),
            ("endsWith", true, [a, b]) => self.texts(a, b, |a, b| a.ends_with(b)),
            ("contains", true, [a, b]) => self.texts(a, b, |a, b| a.contains(b)),
            ("double" | "int" | "string", false, [value]) => self.conversion(expr, name, value),
            ("money", false, [text]) => self.quoted(text, literal::money),
            ("duration", false, [text]) => self.quoted(text, literal::duration),
            ("timestamp", false, [text]) => self.quoted(text, literal::timestamp),
            ("abs", false, [value]) => {
                let node = self.check(value)?;
                match arithmetic::absolute(node) {
                    Ok(node) => Some(node),
                    Err(kind) => self.error(
                        value,
                        format!("abs takes int, double, money or duration, not {kind}"),
                        conversion_help(kind, Type::Double),
                    ),
                }
            }
            ("min", false, [_, _, ..]) => self.extreme(&args, Ordering::Less),
            ("max", false, [_, _, ..]) => self.extreme(&args, Ordering::Greater),
            ("major", false, [amount]) => match self.argument(amount, Type::Money)? {
                Node::Money(get) => Some(Node::Double(one(get, |a| finite(a.major())))),
                _ => None,
            },
            ("seconds", false, [length]) => match self.argument(length, Type::Duration)? {
                Node::Duration(get) => {
                    Some(Node::Double(one(get, |a| finite(a.0 as f64 / 1_000.0))))
                }
                _ => None,
            },
            _ => self.not_a_function(expr, name),
        }
    }

    fn not_a_function(&mut self, expr: &IdedExpr, name: &str) -> Option<Node> {
        if name == "matches" {
            return self.error(
                expr,
                "regular expressions are not part of expressions here",
                "use startsWith, endsWith, contains, or `x in ['a', 'b']`",
            );
        }
        if let Some((_, usage)) = FUNCTIONS.iter().find(|(known, _)| *known == name) {
            return self.error(
                expr,
                format!("`{name}` is not called like this"),
                format!("write `{usage}`"),
            );
        }
        let names = FUNCTIONS.map(|(known, _)| known);
        let help = match nearest(name, names) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("functions are {}", names.join(", ")),
        };
        self.error(expr, format!("there is no function `{name}`"), help)
    }

    fn has(&mut self, path: &IdedExpr) -> Option<Node> {
        match dotted(path) {
            Some(name) => {
                let node = self.declared(path, &name)?;
                Some(Node::Bool(node.into_presence()))
            }
            None => self.error(
                path,
                "`has` asks for a declared path",
                "write `has(order.amount)`",
            ),
        }
    }

    fn argument(&mut self, expr: &IdedExpr, wanted: Type) -> Option<Node> {
        let node = self.check(expr)?;
        self.expect(expr, node, wanted)
    }

    fn text_argument(&mut self, expr: &IdedExpr) -> Option<Get<Arc<str>>> {
        match self.argument(expr, Type::Text)? {
            Node::Text(get) => Some(get),
            _ => None,
        }
    }

    fn texts(
        &mut self,
        a: &IdedExpr,
        b: &IdedExpr,
        holds: impl Fn(&str, &str) -> bool + Send + Sync + 'static,
    ) -> Option<Node> {
        let (a, b) = (self.text_argument(a), self.text_argument(b));
        let (a, b) = a.zip(b)?;
        Some(Node::Bool(both(a, b, move |a, b| Some(holds(&a, &b)))))
    }

    /// A text that is read while compiling, so that a mistake in it is found then.
    fn quoted(
        &mut self,
        expr: &IdedExpr,
        read: impl Fn(&str) -> Result<Val, Problem>,
    ) -> Option<Node> {
        let Expr::Literal(LiteralValue::String(text)) = &expr.expr else {
            return self.error(
                expr,
                "this has to be a quoted text, so that it can be checked when it is read",
                "write it in quotes, such as `money('12 GBP')`",
            );
        };
        match read(text.inner()) {
            Ok(value) => Some(Node::constant(value)),
            Err((message, help)) => self.error(expr, message, help),
        }
    }

    fn conversion(&mut self, expr: &IdedExpr, name: &str, value: &IdedExpr) -> Option<Node> {
        let node = self.check(value)?;
        let kind = node.kind();
        let converted = match name {
            "double" => to_double(node),
            "int" => to_int(node),
            _ => Some(to_text(node)),
        };
        match converted {
            Some(node) => Some(node),
            None => {
                let wanted = match kind {
                    Type::Money | Type::Duration => conversion_help(kind, Type::Double),
                    Type::Bool => "choose numbers with `x ? 1.0 : 0.0`".into(),
                    _ => "take differences of instants: `seconds(a - b)`".into(),
                };
                self.error(expr, format!("{name} cannot convert {kind}"), wanted)
            }
        }
    }

    fn extreme(&mut self, args: &[&IdedExpr], wanted: Ordering) -> Option<Node> {
        let nodes: Vec<Option<Node>> = args.iter().map(|arg| self.check(arg)).collect();
        let nodes: Vec<Node> = nodes.into_iter().collect::<Option<_>>()?;
        let mut best: Option<Node> = None;
        for (node, arg) in nodes.into_iter().zip(args) {
            best = Some(match best {
                None => node,
                Some(before) => match comparison::extreme(wanted, before, node) {
                    Ok(node) => node,
                    Err((left, right)) => {
                        let message = format!("min and max take one type, not {left} and {right}");
                        return self.error(arg, message, comparison::help(left, right));
                    }
                },
            });
        }
        best
    }
}

fn to_double(node: Node) -> Option<Node> {
    Some(Node::Double(match node {
        Node::Double(get) => get,
        Node::Int(get) => one(get, |value| Some(value as f64)),
        Node::Text(get) => one(get, |text| text.trim().parse().ok().and_then(finite)),
        _ => return None,
    }))
}

/// Cut towards zero; what does not fit is missing.
fn to_int(node: Node) -> Option<Node> {
    Some(Node::Int(match node {
        Node::Int(get) => get,
        Node::Double(get) => one(get, |value: f64| {
            (value.abs() < 9.2e18).then_some(value as i64)
        }),
        Node::Text(get) => one(get, |text| text.trim().parse().ok()),
        _ => return None,
    }))
}

fn to_text(node: Node) -> Node {
    match node {
        Node::Text(get) => Node::Text(get),
        other => Node::Text(one(other.into_any(), |value| {
            Some(Arc::from(value.to_string()))
        })),
    }
}
