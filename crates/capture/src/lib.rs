//! Foreign formats become events: one file per format.
