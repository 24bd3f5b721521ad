//! `derived`: an expression over other columns and the event's own fields.

use acumen_base::ColumnKind;
use acumen_expr::{Compiled, Type};

use super::{Accepts, Context, Operator, ParamDoc, ParamKind};
use crate::derive::{Derived, Expression, scope};

/// The operator.
pub(super) struct FromColumns;

impl Operator for FromColumns {
    fn name(&self) -> &'static str {
        "derived"
    }

    fn doc(&self) -> &'static str {
        "One column, computed by a CEL expression over the columns of other features and the \
         fields of the event that the row is of (`order.amount`). Missing operands make it \
         missing. A number or a duration (in seconds) is a number, an amount is in major units of \
         the base currency and missing in another, text is a category code. It may read derived \
         features that are declared before it."
    }

    fn params(&self) -> &'static [ParamDoc] {
        &[ParamDoc {
            name: "cel",
            kind: ParamKind::Text,
            default: "",
            doc: "The expression.",
        }]
    }

    fn accepts(&self) -> Accepts {
        Accepts::NOTHING
    }

    fn example(&self) -> &'static str {
        "{operator: derived, cel: \"spending.z * velocity.card.count_1h\"}"
    }

    fn compile(&self, context: &mut Context<'_>) {
        let Some(text) = context.text("cel") else {
            return;
        };
        let builder = &context.builder;
        let (scope, reads) = scope(builder, &builder.united.kinds[builder.now], 0..usize::MAX);
        let compiled = match Compiled::infer(&text, &scope) {
            Ok(compiled) => compiled,
            Err(errors) => {
                context.expression_problems("cel", errors);
                return;
            }
        };
        let currency = context.builder.united.currency;
        let (kind, unit) = match compiled.result_type() {
            Type::Bool => (ColumnKind::Flag, ""),
            Type::Text => (ColumnKind::Category, ""),
            Type::Money => (ColumnKind::Number, currency.code()),
            Type::Duration => (ColumnKind::Number, "s"),
            Type::Int | Type::Double => (ColumnKind::Number, ""),
            Type::Time => {
                let help = "subtract another instant from it".to_owned();
                context.problem("cel", "an instant is not one number".to_owned(), help);
                return;
            }
        };
        let help = format!("computed: {text}");
        context.derived_column(
            Derived {
                expression: Expression { compiled, reads },
                currency,
            },
            kind,
            unit,
            &help,
        );
    }
}
