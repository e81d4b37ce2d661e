//! KEK providers, wrapped keys and authenticated encryption.
