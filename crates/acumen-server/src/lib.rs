//! The engine's answers over HTTP.
