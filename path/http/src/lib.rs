//! The HTTP door: accept, admit, answer, balance.
