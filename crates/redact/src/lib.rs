//! Secrets leave before sealing; the only maker of Redacted.
