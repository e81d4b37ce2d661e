//! One time-stamping authority, over HTTP (RFC 3161, section 3.4).

use crate::alerts::SinkError;
use crate::alerts::http::{agent, check_url};
use ::anchor::{Authorities, Label, RESPONSE_BYTES_MAX, Request, Stamp, StampError, accept};
use std::time::Duration;
use thiserror::Error;

/// An authority that is asked.
pub struct Authority {
    label: Label,
    url: String,
    agent: ureq::Agent,
    authorities: Authorities,
}

/// Why there is no stamp.
#[derive(Debug, Error)]
pub enum Unstamped {
    /// It did not answer, or not with a stamp.
    #[error("the time-stamping authority did not answer: {0}")]
    Unreached(String),
    /// Its answer does not count.
    #[error("what the time-stamping authority answered does not count: {0}")]
    Refused(#[from] StampError),
    /// Another checkpoint has the place of this one.
    #[error(
        "{0} is there already, and is no checkpoint of this tree: the log was put back, or the file damaged; \
         it is not overwritten, because what was stamped may show which; move it away and keep it"
    )]
    Another(String),
    /// An answer has the place of this one.
    #[error(
        "{path} is there already, and does not count ({why}); move it away, or give the authority another \
         name"
    )]
    Invalid {
        /// Where it lies.
        path: String,
        /// Why it does not count.
        why: StampError,
    },
    /// What it answered cannot be kept, or what is kept cannot be read.
    #[error("{0}")]
    Unkept(String),
}

impl Authority {
    /// The one behind this URL; its answers count when one of the `authorities` issued its
    /// certificate. `allow_private`: also at an address that not everybody reaches, and without
    /// TLS, which the answer does not need, because it is signed.
    ///
    /// # Errors
    /// In words, when the URL cannot be used.
    pub fn new(
        label: Label,
        url: &str,
        authorities: Authorities,
        timeout: Duration,
        allow_private: bool,
    ) -> Result<Self, SinkError> {
        check_url(url, allow_private)?;
        let agent = agent(allow_private, timeout, 0)?;
        Ok(Self { label, url: url.to_owned(), agent, authorities })
    }

    /// What it is called here.
    #[must_use]
    pub fn label(&self) -> &Label {
        &self.label
    }

    /// Whose stamps count.
    #[must_use]
    pub fn authorities(&self) -> &Authorities {
        &self.authorities
    }

    /// Asks for a stamp of these bytes; the answer as it came, and what it says. `random`: fresh
    /// for each.
    ///
    /// # Errors
    /// [`Unstamped`].
    pub fn stamp(&self, message: &[u8], random: u64) -> Result<(Vec<u8>, Stamp), Unstamped> {
        let unreached = |error: ureq::Error| Unstamped::Unreached(error.to_string());
        let asked = Request::new(message, random);
        let request = self.agent.post(&self.url).header("content-type", Request::MEDIA_TYPE);
        let request = request.header("accept", Request::ANSWER_TYPE);
        let mut answer = request.send(asked.to_der()).map_err(unreached)?;
        let status = answer.status().as_u16();
        if status != 200 {
            return Err(Unstamped::Unreached(format!("it answered with status {status}")));
        }
        let most = RESPONSE_BYTES_MAX as u64;
        let bytes = answer.body_mut().with_config().limit(most).read_to_vec().map_err(unreached)?;
        let stamp = accept(&bytes, &asked, message, &self.authorities)?;
        Ok((bytes, stamp))
    }
}
