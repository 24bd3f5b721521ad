//! Events into rows, through operators with a write side and a read side.
