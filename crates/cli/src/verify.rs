//! Is a whole folder what its log says?
