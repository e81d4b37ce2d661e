//! A witness as its logs see it: what it cosigns over a long life, and what it never does.

#![allow(clippy::unwrap_used)]

mod decide;
