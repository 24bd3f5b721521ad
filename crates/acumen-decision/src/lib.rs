//! Predictions into decisions: rules, layers with time budgets, score bands, fallback.
