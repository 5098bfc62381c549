//! Lets bytes flow between a client and the connection that it holds until its transaction is over, and what follows then.

use std::future::poll_fn;
use std::task::Poll;

use super::flow::Stopped;
use crate::error::{Fault, Severity, code};
use crate::events::{Failure, add};
use crate::parse::{confirmed, question};
use crate::server::{AskError, ask};
use crate::session::{Verdict, probe};
use crate::visit::{After, Hold, Visit};

/// Until all that the client sent is answered and it keeps no connection, or it or the server is gone.
pub(crate) async fn relay(visit: &mut Visit<'_>) -> After {
    match poll_fn(|context| visit.poll_flow(context)).await {
        Stopped::Settled => settled(visit).await,
        Stopped::Unusable if !visit.guest.session.is_pinned() => {
            visit.desk.begin_again();
            visit.hold = None;
            After::Again
        }
        Stopped::Lost | Stopped::Unusable => visit.lost().await,
        stopped @ (Stopped::Leaves | Stopped::Gone) => visit.leave(stopped).await,
    }
}

/// All is answered and no transaction is open: the connection goes back unless it holds something of the client's.
async fn settled(visit: &mut Visit<'_>) -> After {
    visit.count();
    visit.note();
    if visit.guest.session.must_probe() && !visit.probe().await {
        return After::Close;
    }
    if visit.desk.intake.unsure.is_some() {
        Box::pin(visit.ask_worth()).await;
    }
    let is_told = poll_fn(|context| Poll::Ready(visit.poll_tell(context))).await;
    visit.give_back();
    match is_told {
        Poll::Ready(after) => after,
        Poll::Pending => visit.finish_telling().await,
    }
}

impl Visit<'_> {
    /// Counts what was answered.
    fn count(&mut self) {
        let events = self.door.events();
        add(&events.transactions, 1);
    }

    /// Tells the session what has ended.
    fn note(&mut self) {
        let Some(Hold { lent, .. }) = &mut self.hold else { return };
        for (text, step) in self.desk.done.steps.drain(..) {
            self.guest.session.note(&text, step);
        }
        for body in self.desk.done.told.drain(..) {
            lent.reported.read(&body);
        }
        self.guest.session.was_told(lent);
    }

    /// Asks what of the client's is on the connection. `false`: the connection is lost, and with it what was there.
    async fn probe(&mut self) -> bool {
        let Some(Hold { lent, .. }) = &mut self.hold else { return true };
        match Box::pin(probe(&mut self.guest.session, lent)).await {
            Verdict::Free | Verdict::Pinned => true,
            Verdict::Lost => false,
        }
    }

    /// Asks whether an unnamed statement is worth keeping.
    async fn ask_worth(&mut self) {
        let (Some(wanted), Some(Hold { lent, .. })) = (self.desk.intake.unsure.take(), &mut self.hold) else { return };
        let Some(lookup) = &wanted.statement.recognised.lookup else { return };
        let answer = ask(lent, &question(lookup, &wanted.statement.types()), |_| {}).await;
        if matches!(answer, Err(AskError::Lost(_))) {
            self.hold = None;
        }
        let is_worth = answer.is_ok_and(|rows| confirmed(&rows));
        self.door.memory.borrow_mut().worth.note(&self.guest.key, wanted, is_worth);
    }

    /// Gives the connection back, unless the client is to keep it.
    fn give_back(&mut self) {
        self.desk.end_batch();
        if self.guest.session.is_pinned() {
            return;
        }
        let Some(Hold { cancel, lent }) = self.hold.take() else { return };
        self.desk.end_lending();
        drop(cancel);
        if lent.cancel.is_quiet() {
            return lent.give_back();
        }
        // A cancel that is on its way must not hit the next client.
        tokio::task::spawn_local(async move {
            if lent.cancel.clone().quiet().await {
                lent.give_back();
            }
        });
    }

    /// The server is gone while it had something of the client's.
    async fn lost(&mut self) -> After {
        self.door.events().failed(Failure::Lost);
        if !self.desk.answers.is_ending() {
            let fault = Fault::new(code::CONNECTION_FAILURE, "the connection to the database server was lost; the outcome of the statement under way is unknown");
            self.say(&fault, Severity::Fatal);
        }
        self.hold = None;
        self.finish_telling().await;
        After::Close
    }

    /// Appends a fault to what the client is told.
    pub(super) fn say(&mut self, fault: &Fault, severity: Severity) {
        self.desk.say(|out| fault.write(out, severity));
    }

    /// Waits until the client has all that it was told.
    pub(super) async fn finish_telling(&mut self) -> After {
        poll_fn(|context| self.poll_tell(context)).await
    }
}
