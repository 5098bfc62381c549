//! Last stage: the app's side.

pub(crate) mod response;
