//! The type checker: what each part of a tree gives, or what is wrong with it.

use std::collections::BTreeSet;

use acumen_base::nearest;
use cel::IdedExpr;
use cel::common::ast::{CallExpr, Expr, SourceInfo, operators};

use crate::arithmetic::{self, Arithmetic};
use crate::comparison::{self, Comparison};
use crate::compiled::ExprError;
use crate::literal;
use crate::node::{Get, Node};
use crate::scope::Scope;
use crate::value::Type;

/// Names that help shows at most.
const NAMES_SHOWN: usize = 6;

/// Walks a tree once, collecting errors; a part that is wrong gives no node and is not blamed
/// again by what is around it.
pub(crate) struct Checker<'a> {
    pub(crate) scope: &'a Scope,
    text: &'a str,
    positions: &'a SourceInfo,
    errors: Vec<ExprError>,
    reads: Reads,
}

/// What an expression reads.
#[derive(Default)]
pub(crate) struct Reads {
    pub(crate) slots: BTreeSet<usize>,
    pub(crate) lists: BTreeSet<usize>,
}

impl<'a> Checker<'a> {
    pub(crate) fn new(scope: &'a Scope, text: &'a str, positions: &'a SourceInfo) -> Self {
        Checker {
            scope,
            text,
            positions,
            errors: Vec::new(),
            reads: Reads::default(),
        }
    }

    /// What was read, or everything that was wrong.
    pub(crate) fn finish(mut self) -> Result<Reads, Vec<ExprError>> {
        if self.errors.is_empty() {
            return Ok(self.reads);
        }
        self.errors.sort_by_key(|error| error.offset);
        Err(self.errors)
    }

    pub(crate) fn check(&mut self, expr: &IdedExpr) -> Option<Node> {
        match &expr.expr {
            Expr::Literal(value) => match literal::constant(value) {
                Ok(value) => Some(Node::constant(value)),
                Err((message, help)) => self.error(expr, message, help),
            },
            Expr::Ident(_) | Expr::Select(_) => self.path(expr),
            Expr::Call(call) => self.call(expr, call),
            Expr::List(_) => self.error(
                expr,
                "a list can only stand to the right of `in`",
                "write `x in ['a', 'b']`",
            ),
            _ => self.error(
                expr,
                "maps and structures are not part of expressions here",
                "read declared fields by their path, such as `order.amount`",
            ),
        }
    }

    /// The node as the type that is wanted.
    pub(crate) fn expect(&mut self, expr: &IdedExpr, node: Node, wanted: Type) -> Option<Node> {
        match (node, wanted) {
            (Node::Int(get), Type::Double) => Some(Node::Double(Box::new(move |frame| {
                get(frame).map(|value| value as f64)
            }))),
            (node, wanted) if node.kind() == wanted => Some(node),
            (node, wanted) => self.error(
                expr,
                format!("this gives {}, and {wanted} is needed", node.kind()),
                conversion_help(node.kind(), wanted),
            ),
        }
    }

    /// A part that has to be a condition.
    fn condition(&mut self, expr: &IdedExpr) -> Option<Get<bool>> {
        let node = self.check(expr)?;
        match self.expect(expr, node, Type::Bool)? {
            Node::Bool(get) => Some(get),
            _ => None,
        }
    }

    fn path(&mut self, expr: &IdedExpr) -> Option<Node> {
        let Some(path) = dotted(expr) else {
            return self.error(
                expr,
                "a part of a value cannot be read like this",
                "write a declared path, such as `order.amount`",
            );
        };
        self.declared(expr, &path)
    }

    /// The declared path of this name.
    pub(crate) fn declared(&mut self, expr: &IdedExpr, path: &str) -> Option<Node> {
        if let Some((slot, kind)) = self.scope.path(path) {
            self.reads.slots.insert(slot);
            return Some(Node::slot(slot, kind));
        }
        let help = self.path_help(path);
        self.error(expr, format!("`{path}` is not declared"), help)
    }

    /// Notes that a list is searched.
    pub(crate) fn searches(&mut self, list: usize) {
        self.reads.lists.insert(list);
    }

    fn path_help(&self, path: &str) -> String {
        let inside = format!("{path}.");
        let parts: Vec<&str> = self
            .scope
            .paths()
            .filter(|declared| declared.starts_with(&inside))
            .take(NAMES_SHOWN)
            .collect();
        if !parts.is_empty() {
            return format!("it has parts: write one of `{}`", parts.join("`, `"));
        }
        if path == "lists" || path.starts_with("lists.") {
            return "a list can only stand to the right of `in`: `x in lists.name`".into();
        }
        if let Some(near) = nearest(path, self.scope.paths()) {
            return format!("did you mean `{near}`?");
        }
        let declared: Vec<&str> = self.scope.paths().take(NAMES_SHOWN).collect();
        match declared.len() {
            0 => "nothing is declared here: an expression can only use literals".into(),
            _ => format!("declared are `{}` and the like", declared.join("`, `")),
        }
    }

    fn call(&mut self, expr: &IdedExpr, call: &CallExpr) -> Option<Node> {
        let name = call.func_name.as_str();
        if let Some(operator) = Arithmetic::of(name) {
            return self.arithmetic(expr, operator, &call.args);
        }
        if let Some(operator) = Comparison::of(name) {
            return self.comparison(expr, operator, &call.args);
        }
        match (name, call.args.as_slice()) {
            (operators::LOGICAL_AND, [a, b]) => self.logic(a, b, false),
            (operators::LOGICAL_OR, [a, b]) => self.logic(a, b, true),
            (operators::LOGICAL_NOT, [a]) => {
                let a = self.condition(a)?;
                Some(Node::Bool(Box::new(move |frame| {
                    a(frame).map(|value| !value)
                })))
            }
            (operators::CONDITIONAL, [condition, yes, no]) => {
                self.conditional(expr, condition, yes, no)
            }
            (operators::NEGATE, [a]) => {
                let a = self.check(a)?;
                match arithmetic::negate(a) {
                    Ok(node) => Some(node),
                    Err(kind) => self.error_at(
                        self.start_of(expr),
                        format!("{kind} has no negative"),
                        "a minus sign takes int, double, money or duration",
                    ),
                }
            }
            (operators::IN, [item, list]) => self.membership(expr, item, list),
            (operators::INDEX, _) => self.error_at(
                self.token_of(expr),
                "values have no elements",
                "read declared fields by their path, such as `order.amount`",
            ),
            _ => self.function(expr, call),
        }
    }

    fn arithmetic(
        &mut self,
        expr: &IdedExpr,
        operator: Arithmetic,
        args: &[IdedExpr],
    ) -> Option<Node> {
        let (a, b) = self.pair(args)?;
        match arithmetic::combine(operator, a, b) {
            Ok(node) => Some(node),
            Err((left, right)) => self.error_at(
                self.token_of(expr),
                format!("{left} {} {right} has no meaning", operator.symbol()),
                arithmetic::help(operator, left, right),
            ),
        }
    }

    fn comparison(
        &mut self,
        expr: &IdedExpr,
        operator: Comparison,
        args: &[IdedExpr],
    ) -> Option<Node> {
        let (a, b) = self.pair(args)?;
        match comparison::compare(operator, a, b) {
            Ok(get) => Some(Node::Bool(get)),
            Err((left, right)) => self.error_at(
                self.token_of(expr),
                format!(
                    "{left} and {right} cannot be compared by {}",
                    operator.symbol()
                ),
                comparison::help(left, right),
            ),
        }
    }

    /// Checks both sides, so that the errors of both are reported.
    fn pair(&mut self, args: &[IdedExpr]) -> Option<(Node, Node)> {
        let [a, b] = args else { return None };
        let (a, b) = (self.check(a), self.check(b));
        a.zip(b)
    }

    /// `&&` is absorbed by false, `||` by true; otherwise a missing side makes it missing.
    fn logic(&mut self, a: &IdedExpr, b: &IdedExpr, absorbing: bool) -> Option<Node> {
        let (a, b) = (self.condition(a), self.condition(b));
        let (a, b) = a.zip(b)?;
        Some(Node::Bool(Box::new(move |frame| {
            let left = a(frame);
            if left == Some(absorbing) {
                return left;
            }
            let right = b(frame);
            if right == Some(absorbing) {
                return right;
            }
            left.and(right)
        })))
    }

    fn conditional(
        &mut self,
        expr: &IdedExpr,
        condition: &IdedExpr,
        yes: &IdedExpr,
        no: &IdedExpr,
    ) -> Option<Node> {
        let condition = self.condition(condition);
        let (yes, no) = (self.check(yes), self.check(no));
        let (condition, (yes, no)) = condition.zip(yes.zip(no))?;
        match comparison::choose(condition, yes, no) {
            Ok(node) => Some(node),
            Err((left, right)) => self.error_at(
                self.token_of(expr),
                format!("`? :` gives {left} or {right}, and both have to be of one type"),
                conversion_help(right, left),
            ),
        }
    }

    /// Reports an error at the beginning of a part; gives `None` for the caller to pass on.
    pub(crate) fn error<T>(
        &mut self,
        expr: &IdedExpr,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Option<T> {
        self.error_at(self.start_of(expr), message, help)
    }

    /// Reports an error at an offset; gives `None` for the caller to pass on.
    pub(crate) fn error_at<T>(
        &mut self,
        offset: usize,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Option<T> {
        self.errors.push(ExprError {
            offset,
            message: message.into(),
            help: help.into(),
        });
        None
    }

    /// Where the token stands that a part is named for: its operator, dot or bracket.
    pub(crate) fn token_of(&self, expr: &IdedExpr) -> usize {
        let start = self.positions.offset_for(expr.id);
        start.map_or(0, |(start, _)| start as usize)
    }

    /// Where a part begins.
    pub(crate) fn start_of(&self, expr: &IdedExpr) -> usize {
        let token = self.token_of(expr);
        match &expr.expr {
            Expr::Select(select) => self.start_of(&select.operand),
            Expr::Call(call) => match (&call.target, call.args.first()) {
                (Some(target), _) => self.start_of(target),
                // A global call is placed at its bracket: go back over the name.
                (None, _) if self.text[token.min(self.text.len())..].starts_with('(') => {
                    let before = self.text[..token].trim_end();
                    let name = before.trim_end_matches(|c: char| c.is_alphanumeric() || c == '_');
                    name.len()
                }
                (None, Some(first)) => self.start_of(first).min(token),
                (None, None) => token,
            },
            _ => token,
        }
    }
}

/// The dotted path that a part spells.
pub(crate) fn dotted(expr: &IdedExpr) -> Option<String> {
    match &expr.expr {
        Expr::Ident(name) => Some(name.trim_start_matches('.').to_owned()),
        Expr::Select(select) if !select.test => {
            let mut path = dotted(&select.operand)?;
            path.push('.');
            path.push_str(&select.field);
            Some(path)
        }
        _ => None,
    }
}

/// How to get from one type to another.
pub(crate) fn conversion_help(from: Type, to: Type) -> String {
    match (from, to) {
        (Type::Money, Type::Double) => {
            "major(amount) is the amount in major units as a double".into()
        }
        (Type::Duration, Type::Double) => "seconds(duration) is its length as a double".into(),
        (Type::Int | Type::Text, Type::Double) => "double(x) makes it a double".into(),
        (Type::Double | Type::Text, Type::Int) => "int(x) cuts it to a whole number".into(),
        (_, Type::Text) => "string(x) makes it a text".into(),
        (_, Type::Bool) => "write a condition, such as `x > 1.0` or `has(x)`".into(),
        (_, Type::Money) => "write an amount, such as `money('12 GBP')`".into(),
        (_, Type::Duration) => "write a length of time, such as `duration('5m')`".into(),
        (_, Type::Time) => "write an instant, such as `timestamp('2026-03-01T00:00:00Z')`".into(),
        (_, Type::Int | Type::Double) => format!("write an expression that gives {to}"),
    }
}
