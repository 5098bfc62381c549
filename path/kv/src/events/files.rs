//! What is said of the files that keep the keys.

use super::Events;

impl Events {
    /// The log cannot be written; what is done meanwhile is refused.
    pub(crate) fn log_fails(&self, why: &str) {
        self.log.error(&self.target(), &format!("the log of the keys cannot be written, and writes are refused until it can: {why}"));
    }

    /// The log can be written again.
    pub(crate) fn log_works(&self) {
        self.log.info(&self.target(), "the log of the keys is written again");
    }

    /// Something of the files that is well.
    pub(crate) fn kept(&self, text: &str) {
        self.log.info(&self.target(), text);
    }

    /// Something of the files that somebody should know.
    pub(crate) fn lost(&self, text: &str) {
        self.log.warning(&self.target(), text);
    }

    /// Keys could not be saved; the older file is as it was.
    pub(crate) fn not_saved(&self, why: &str) {
        self.log.error(&self.target(), &format!("the keys could not be saved, and the file from before is as it was: {why}"));
    }
}
