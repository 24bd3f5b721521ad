//! Expressions that are ready to run, and what is wrong with those that are not.

use std::fmt;
use std::sync::Arc;

use crate::check::Checker;
use crate::node::{Get, Node};
use crate::parse::parse;
use crate::scope::{Frame, Scope};
use crate::value::{Type, Val};

/// A checked expression as closures over slots; cheap to clone and shared between threads.
#[derive(Clone)]
pub struct Compiled {
    program: Arc<Program>,
}

struct Program {
    text: String,
    kind: Type,
    slots: Vec<usize>,
    lists: Vec<usize>,
    run: Get<Val>,
}

/// One thing that is wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ExprError {
    /// Where in the text, in bytes from its beginning.
    pub offset: usize,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

impl Compiled {
    /// Compiles a text that has to give `expected`; a whole number is taken where a decimal
    /// number is expected.
    ///
    /// Gives every problem that it finds, in the order of the text.
    pub fn compile(text: &str, scope: &Scope, expected: Type) -> Result<Compiled, Vec<ExprError>> {
        Self::build(text, scope, Some(expected))
    }

    /// Compiles a text that may give any type; [`Compiled::result_type`] says which.
    pub fn infer(text: &str, scope: &Scope) -> Result<Compiled, Vec<ExprError>> {
        Self::build(text, scope, None)
    }

    fn build(
        text: &str,
        scope: &Scope,
        expected: Option<Type>,
    ) -> Result<Compiled, Vec<ExprError>> {
        let tree = parse(text)?;
        let mut checker = Checker::new(scope, text, &tree.positions);
        let node = checker.check(&tree.root);
        let node = node.and_then(|node| match expected {
            Some(expected) => checker.expect(&tree.root, node, expected),
            None => Some(node),
        });
        let reads = checker.finish()?;
        // Every part that gives no node has left an error behind, so `finish` has answered.
        let node = node.unwrap_or_else(|| Node::constant(Val::Bool(false)));
        Ok(Compiled {
            program: Arc::new(Program {
                text: text.to_owned(),
                kind: node.kind(),
                slots: reads.slots.into_iter().collect(),
                lists: reads.lists.into_iter().collect(),
                run: node.into_any(),
            }),
        })
    }

    /// The value over a frame; `None` where it is missing.
    pub fn eval(&self, frame: &dyn Frame) -> Option<Val> {
        (self.program.run)(frame)
    }

    /// Whether it gives `true`: a missing answer does not count.
    pub fn is_true(&self, frame: &dyn Frame) -> bool {
        self.eval(frame) == Some(Val::Bool(true))
    }

    /// The slots that it reads, rising.
    pub fn slots(&self) -> &[usize] {
        &self.program.slots
    }

    /// The lists that it searches, rising.
    pub fn lists(&self) -> &[usize] {
        &self.program.lists
    }

    /// What it gives when it is not missing.
    pub fn result_type(&self) -> Type {
        self.program.kind
    }

    /// The text that it was compiled from.
    pub fn text(&self) -> &str {
        &self.program.text
    }
}

impl fmt::Debug for Compiled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compiled")
            .field("text", &self.program.text)
            .field("result_type", &self.program.kind)
            .finish_non_exhaustive()
    }
}
