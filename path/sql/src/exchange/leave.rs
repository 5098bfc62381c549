//! A client goes: what becomes of the connection that it holds.

use std::time::Duration;

use super::flow::Stopped;
use super::intake::Planned;
use crate::error::{Fault, Severity};
use crate::events::{Failure, add};
use crate::server::{Lent, ask};
use crate::visit::{After, Hold, Visit};

/// How long a rollback may take; then the connection is closed, which is one too.
const ROLLBACK: Duration = Duration::from_secs(5);

impl Visit<'_> {
    /// The client is gone, or said that it goes and has all its answers.
    pub(super) async fn leave(&mut self, stopped: Stopped) -> After {
        if stopped == Stopped::Gone && self.desk.planned == Planned::Leaves && !self.desk.is_deaf {
            // It said that it goes and does not wait for the answers: what it sent is done all the same.
            self.desk.is_deaf = true;
            return After::Again;
        }
        self.let_go().await;
        if let Some(refused) = self.desk.intake.messages.refused() {
            let fault = refused.fault();
            self.door.events().failed(Failure::Protocol);
            self.say(&fault, Severity::Fatal);
        }
        if stopped == Stopped::Leaves { self.farewell().await } else { After::Close }
    }

    /// The client must go, and is told why.
    pub(super) async fn dismiss(&mut self, fault: &Fault) -> After {
        self.let_go().await;
        self.say(fault, Severity::Fatal);
        self.farewell().await
    }

    /// The door closes before the client has left: what it has begun is broken off, and it is told why if a message may stand there.
    pub(crate) async fn cut(&mut self) -> After {
        self.cut_short(&Fault::terminated()).await
    }

    /// What the client has begun is broken off, and it is told why if a message may stand there.
    pub(super) async fn cut_short(&mut self, fault: &Fault) -> After {
        self.break_off();
        if !self.desk.answers.is_amid() {
            self.say(fault, Severity::Fatal);
        }
        self.farewell().await
    }

    /// Ends what the client has begun.
    pub(super) async fn let_go(&mut self) {
        if self.desk.answers.is_settled() && self.desk.is_at_boundary() {
            self.roll_back().await;
        } else {
            add(&self.door.events().clients_gone, 1);
            self.break_off();
        }
    }

    /// The server is in the middle of something that nobody waits for: it is to stop, and the connection is closed.
    fn break_off(&mut self) {
        let Some(Hold { lent, .. }) = self.hold.take() else { return };
        if self.desk.answers.outstanding() > 0 {
            let target = lent.cancel.clone();
            tokio::task::spawn_local(async move {
                target.cancel().await;
                drop(lent);
            });
        }
    }

    /// Ends the transaction, if there is one, and gives the connection back, if it holds nothing else of the client's.
    async fn roll_back(&mut self) {
        let Some(Hold { mut lent, .. }) = self.hold.take() else { return };
        if !self.guest.session.leaves_clean() || self.desk.answers.is_ending() {
            return;
        }
        lent.prepared.end_privacy();
        if (self.desk.answers.status() == b'I' || self.rolls_back(&mut lent).await) && lent.cancel.is_quiet() {
            lent.give_back();
        }
    }

    /// Ends the transaction. Whether that went well.
    async fn rolls_back(&mut self, lent: &mut Lent) -> bool {
        let rolled_back = self.guest.alarm.limit(Box::pin(ask(lent, "ROLLBACK", |_| {})));
        self.guest.alarm.set(ROLLBACK);
        matches!(rolled_back.await, Ok(Ok(_)))
    }
}
