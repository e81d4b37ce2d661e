//! Questions over records, answered as of one checkpoint.
