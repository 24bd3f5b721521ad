//! CEL text and declared fields into type-checked, compiled expressions.
