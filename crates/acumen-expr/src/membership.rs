//! `x in lists.name` and `x in ['a', 'b']`.

use std::sync::Arc;

use acumen_base::nearest;
use cel::IdedExpr;
use cel::common::ast::{Expr, LiteralValue};

use crate::check::{Checker, conversion_help, dotted};
use crate::comparison;
use crate::node::{Get, Node};
use crate::value::{Type, Val};

impl Checker<'_> {
    /// Whether an item is in a declared list or a literal one.
    pub(crate) fn membership(
        &mut self,
        expr: &IdedExpr,
        item: &IdedExpr,
        list: &IdedExpr,
    ) -> Option<Node> {
        if let Expr::List(literal) = &list.expr {
            return self.among(item, &literal.elements);
        }
        let item_node = self.check(item);
        let list = self.declared_list(expr, list);
        let (item_node, list) = item_node.zip(list)?;
        let Node::Text(get) = item_node else {
            let kind = item_node.kind();
            let help = conversion_help(kind, Type::Text);
            return self.error(item, format!("lists hold text, and this is {kind}"), help);
        };
        self.searches(list);
        Some(Node::Bool(Box::new(move |frame| {
            get(frame).map(|text| frame.contains(list, &text))
        })))
    }

    fn declared_list(&mut self, expr: &IdedExpr, list: &IdedExpr) -> Option<usize> {
        let path = dotted(list);
        let Some(name) = path.as_deref().and_then(|path| path.strip_prefix("lists.")) else {
            return self.error_at(
                self.token_of(expr),
                "`in` needs a list on its right",
                "write `x in lists.name` or `x in ['a', 'b']`",
            );
        };
        if let Some(number) = self.scope.list(name) {
            return Some(number);
        }
        let declared: Vec<&str> = self.scope.lists().collect();
        let help = match nearest(name, declared.iter().copied()) {
            Some(near) => format!("did you mean `lists.{near}`?"),
            None if declared.is_empty() => "declare it under `lists`".into(),
            None => format!(
                "declare it under `lists`; declared are `{}`",
                declared.join("`, `")
            ),
        };
        self.error(list, format!("`lists.{name}` is not declared"), help)
    }

    fn among(&mut self, item: &IdedExpr, elements: &[IdedExpr]) -> Option<Node> {
        if let Some(texts) = literal_texts(elements) {
            let node = self.check(item)?;
            return match self.expect(item, node, Type::Text)? {
                Node::Text(get) => Some(Node::Bool(Box::new(move |frame| {
                    let text = get(frame)?;
                    Some(texts.binary_search(&text).is_ok())
                }))),
                _ => None,
            };
        }
        let item = self.check(item);
        let elements: Vec<Option<(Node, &IdedExpr)>> = elements
            .iter()
            .map(|element| Some((self.check(element)?, element)))
            .collect();
        let item = item?;
        let kind = item.kind();
        let mut values: Vec<Get<Val>> = Vec::with_capacity(elements.len());
        for element in elements {
            let (node, element) = element?;
            if !comparison::comparable(kind, node.kind()) {
                let message = format!("the list holds {}, and {kind} is sought", node.kind());
                let help = comparison::help(kind, node.kind());
                return self.error(element, message, help);
            }
            values.push(node.into_any());
        }
        Some(Node::Bool(any_of(item.into_any(), values)))
    }
}

/// True where one is equal; missing where none is and one is missing.
fn any_of(item: Get<Val>, values: Vec<Get<Val>>) -> Get<bool> {
    Box::new(move |frame| {
        let item = item(frame)?;
        let mut answer = Some(false);
        for value in &values {
            match value(frame).and_then(|value| comparison::same(&item, &value)) {
                Some(true) => return Some(true),
                Some(false) => {}
                None => answer = None,
            }
        }
        answer
    })
}

/// The elements in order, where all of them are texts; an empty list is one of no texts.
fn literal_texts(elements: &[IdedExpr]) -> Option<Vec<Arc<str>>> {
    let mut texts = elements
        .iter()
        .map(|element| match &element.expr {
            Expr::Literal(LiteralValue::String(text)) => Some(Arc::from(text.inner())),
            _ => None,
        })
        .collect::<Option<Vec<Arc<str>>>>()?;
    texts.sort();
    Some(texts)
}
