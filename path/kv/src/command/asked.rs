//! A command that somebody else does: a thread that may wait for disks.

use tokio::sync::oneshot;

use crate::error::Fault;
use crate::frame::Reply;
use crate::persist::{Answer, Order, Persist};
use crate::visit::Visit;

/// How it went is told here.
pub(crate) struct Asked(oneshot::Receiver<Result<(), String>>);

impl Asked {
    /// Asks the keeper of the files for something.
    ///
    /// # Errors
    /// There is none.
    pub(super) fn keeper(persist: &Persist, order: impl FnOnce(Answer) -> Order) -> Result<Asked, Fault> {
        let (sender, answer) = oneshot::channel();
        persist.order(order(sender))?;
        Ok(Asked(answer))
    }

    /// Waits for the answer, and says it: `OK`, or why not.
    pub(crate) async fn over(self, visit: &mut Visit<'_>) {
        let done = self.0.await.unwrap_or_else(|_| Err("it was given up".into()));
        let mut out = Vec::new();
        let mut reply = Reply::new(&mut out, visit.client.protocol);
        match done {
            Ok(()) => reply.ok(),
            Err(why) => reply.error(&Fault::made(format!("ERR {why}"))),
        }
        visit.says(&out);
    }
}
