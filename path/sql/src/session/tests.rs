//! Sessions on connections to a real server, held against connections of their own.

mod guest;
mod listening;
mod parameters;
mod pins;
mod sequences;
