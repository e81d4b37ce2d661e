//! The server: who may come in, what they may do, and what is kept of those who were refused.
//!
//! [`access`] answers both questions for a request; it knows neither HTTP nor TLS handshakes.

pub mod access;
