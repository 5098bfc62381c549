//! Lets bytes flow between a client and the connection that it holds until its transaction is over, and what follows then.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use super::flow::Stopped;
use crate::error::{Fault, Severity, code};
use crate::events::{Failure, add};
use crate::parse::{confirmed, question};
use crate::server::{AskError, ask};
use crate::session::{Unsettled, Verdict, prepare, probe, restore};
use crate::visit::{After, Hold, Visit};

/// How long a client that is closed has to take its last words.
const FAREWELL: Duration = Duration::from_secs(5);

/// Until all that the client sent is answered and it keeps no connection, or it or the server is gone.
pub(crate) async fn relay(visit: &mut Visit<'_>) -> After {
    let stopped = poll_fn(|context| visit.poll_flow(context)).await;
    if !matches!(stopped, Stopped::Long | Stopped::Prepare | Stopped::Restore) && visit.shape.plan.limits.is_any() {
        visit.stop_clock();
    }
    match stopped {
        Stopped::Settled => settled(visit).await,
        Stopped::Unusable if !visit.guest.session.is_pinned() => {
            visit.desk.begin_again(&mut visit.door.memory.borrow_mut());
            visit.hold = None;
            After::Again
        }
        Stopped::Long => {
            Box::pin(visit.read_long()).await;
            After::Again
        }
        Stopped::Prepare => visit.prepare().await,
        Stopped::Restore => visit.restore().await,
        Stopped::Lost | Stopped::Unusable => visit.lost().await,
        Stopped::Over(over) => visit.end_over(over).await,
        Stopped::Drained => visit.dismiss(&Fault::terminated()).await,
        stopped @ (Stopped::Leaves | Stopped::Gone) => visit.leave(stopped).await,
    }
}

/// All is answered and no transaction is open: the connection goes back unless it holds something of the client's.
async fn settled(visit: &mut Visit<'_>) -> After {
    visit.count();
    let is_news = !visit.desk.done.told.is_empty();
    visit.note();
    let must_probe = visit.guest.session.must_probe();
    if must_probe && !visit.probe().await {
        return visit.lost().await;
    }
    if must_probe && visit.guest.session.is_crowded() {
        return visit.end_crowded().await;
    }
    visit.tell_definitions();
    if is_news || must_probe {
        visit.follow_session();
    }
    if visit.desk.intake.unsure.is_some() {
        Box::pin(visit.ask_worth()).await;
    }
    if visit.guest.session.is_behind() {
        // Others may have the connection meanwhile.
        visit.give_back();
        Box::pin(visit.catch_up()).await;
        return visit.finish_telling().await;
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

    /// Tells the session what the server reported.
    fn note(&mut self) {
        let Some(Hold { lent, .. }) = &mut self.hold else { return };
        for body in self.desk.done.told.drain(..) {
            lent.reported.read(&body);
        }
        self.guest.session.was_told(lent);
    }

    /// Asks what of the client's is on the connection. `false`: the connection is lost, and with it what was there.
    async fn probe(&mut self) -> bool {
        let Some(Hold { lent, .. }) = &mut self.hold else { return true };
        let mut heard = Vec::new();
        match Box::pin(probe(&mut self.guest.session, lent, &mut heard)).await {
            Verdict::Lost => return false,
            Verdict::Free | Verdict::Pinned => {}
        }
        self.desk.tell_before_ready(&heard);
        true
    }

    /// Does on the connection what the statements that come next need.
    async fn prepare(&mut self) -> After {
        let texts = self.flow().map(|flow| flow.to_prepare()).unwrap_or_default();
        for text in texts {
            let Some(Hold { lent, .. }) = &mut self.hold else { break };
            let is_open = self.desk.answers.is_open();
            if let Err(error) = Box::pin(prepare(&mut self.guest.session, lent, &text, is_open)).await {
                return self.unsettled(error).await;
            }
        }
        self.desk.is_prepared = true;
        After::Again
    }

    /// Sets again what belongs to the session, in the transaction that goes on.
    async fn restore(&mut self) -> After {
        self.note();
        let Some(Hold { lent, .. }) = &mut self.hold else { return After::Again };
        let mut news = Vec::new();
        match Box::pin(restore(&mut self.guest.session, lent, &mut news)).await {
            Ok(()) => {
                self.desk.tell_before_ready(&news);
                After::Again
            }
            Err(error) => self.unsettled(error).await,
        }
    }

    /// The connection cannot be made what the session needs, in the middle of what the client does with it.
    async fn unsettled(&mut self, error: Unsettled) -> After {
        let Unsettled::Refused(said) = error else { return self.lost().await };
        self.desk.say(|out| said.write(out, Severity::Fatal));
        self.hold = None;
        self.farewell().await
    }

    /// Tells the client what was notified before its last words, before it is ready.
    pub(super) async fn catch_up(&mut self) {
        let mut heard = Vec::new();
        self.guest.session.catch_up(&mut heard).await;
        self.desk.tell_before_ready(&heard);
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
        self.door.memory.borrow_mut().worth.note(&self.guest.key, wanted, is_worth, self.door.common.generation());
    }

    /// Gives the connection back, unless the client is to keep it.
    fn give_back(&mut self) {
        self.desk.end_batch();
        if self.guest.session.is_pinned() {
            return;
        }
        let Some(Hold { cancel, mut lent }) = self.hold.take() else { return };
        lent.prepared.end_privacy();
        let is_ending = self.desk.answers.is_ending();
        self.desk.end_lending();
        drop(cancel);
        if is_ending {
            return;
        }
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
        // What nobody could follow the server may have said itself.
        if let Some(farewell) = self.desk.answers.take_farewell() {
            self.desk.say(|out| out.extend_from_slice(&farewell));
        } else if !self.desk.answers.is_ending() && !self.desk.answers.is_adrift() {
            let fault = Fault::new(
                code::CONNECTION_FAILURE,
                "the connection to the database server was lost; the outcome of the statement under way is unknown",
            );
            self.say(&fault, Severity::Fatal);
        }
        self.hold = None;
        self.farewell().await
    }

    /// The client listens on more than anybody may, and its transaction is over.
    async fn end_crowded(&mut self) -> After {
        self.door.events().failed(Failure::Limit);
        self.hold = None;
        self.say(&Fault::too_many_channels(), Severity::Fatal);
        self.farewell().await
    }

    /// Appends a fault to what the client is told.
    pub(super) fn say(&mut self, fault: &Fault, severity: Severity) {
        self.desk.say(|out| fault.write(out, severity));
    }

    /// The client is closed once it has what it was told, if it takes that in time.
    pub(crate) async fn farewell(&mut self) -> After {
        self.desk.answers.end_trial();
        let alarm = &self.guest.alarm;
        alarm.set(FAREWELL);
        poll_fn(|context| match self.poll_tell(context) {
            Poll::Pending => self.guest.alarm.poll_rung(context).map(|()| After::Close),
            told => told,
        })
        .await;
        After::Close
    }

    /// Waits until the client has all that it was told.
    pub(super) async fn finish_telling(&mut self) -> After {
        poll_fn(|context| self.poll_tell(context)).await
    }
}
