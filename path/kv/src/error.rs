//! What a command fails with, as the client reads it.

use std::borrow::Cow;

/// An error answer without its `-`: a code in capitals and a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault(pub(crate) Cow<'static, str>);

impl Fault {
    pub(crate) const WRONG_TYPE: Fault = Fault::fixed("WRONGTYPE Operation against a key holding the wrong kind of value");
    pub(crate) const SYNTAX: Fault = Fault::fixed("ERR syntax error");
    pub(crate) const NOT_INTEGER: Fault = Fault::fixed("ERR value is not an integer or out of range");
    pub(crate) const NOT_FLOAT: Fault = Fault::fixed("ERR value is not a valid float");
    pub(crate) const OUT_OF_RANGE: Fault = Fault::fixed("ERR index out of range");
    pub(crate) const NO_SUCH_KEY: Fault = Fault::fixed("ERR no such key");
    pub(crate) const OUT_OF_MEMORY: Fault = Fault::fixed("OOM command not allowed when used memory > 'maxmemory'.");

    /// One whose text is always the same.
    pub(crate) const fn fixed(text: &'static str) -> Fault {
        Fault(Cow::Borrowed(text))
    }

    /// One whose text was made.
    pub(crate) fn made(text: String) -> Fault {
        Fault(Cow::Owned(text))
    }
}
