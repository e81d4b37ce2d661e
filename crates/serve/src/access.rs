//! Who is calling, and may they: credentials in, a [`Caller`] or a [`Refused`] out; a caller and an
//! action in, a [`Decision`](policy::Decision) out.
//!
//! Three kinds of credential end in the same type: API tokens ([`tokens`]), tokens of OpenID
//! Connect issuers ([`oidc`]) and client certificates ([`certificate`]). What a caller may do is
//! decided by Cedar policies ([`policy`]); those who were refused are counted ([`refusals`]) until
//! the server records them.
//!
//! Not here: HTTP, TLS handshakes, configuration files, the clock (time is an argument) and the
//! log. Reasons for what is here: docs/decisions/0028.

pub mod caller;
pub mod certificate;
pub mod oidc;
pub mod policy;
pub mod refusals;
pub mod refused;
pub mod tokens;

pub use caller::{Caller, Grant, Logs, Method, Role};
pub use refused::Refused;
