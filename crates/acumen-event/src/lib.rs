//! Bytes and records into a durable, ordered, deduplicated log.
