//! Decisions and later events into outcomes and money.
