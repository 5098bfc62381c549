use std::future::poll_fn;
use std::task::{Context, Poll};

use loops::now;

use super::flow::{FAIR, read};
use crate::error::{Fault, Severity, code};
use crate::events::Failure;
use crate::events::add;
use crate::parse::recognise_in_turns;
use crate::visit::{After, Visit};

/// What came from a client that has no server connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Came {
    /// Messages that a server is needed for.
    Something,
    /// A text that is to be read in turns.
    Long,
    /// Nothing: it is silent again.
    Nothing,
    /// It leaves, or must.
    End,
}

/// Reads until a server has something to do: to the end of a batch, or as much as there is room for.
pub(crate) async fn receive(visit: &mut Visit<'_>) -> Came {
    loop {
        match poll_fn(|context| visit.poll_receive(context)).await {
            Came::Long => Box::pin(visit.read_long()).await,
            came => return came,
        }
    }
}

impl Visit<'_> {
    fn poll_receive(&mut self, context: &mut Context<'_>) -> Poll<Came> {
        let mut received = 0;
        loop {
            self.drop_unanswerable();
            self.hear(context);
            if let Poll::Ready(After::Close) = self.poll_tell(context) {
                return Poll::Ready(Came::End);
            }
            if let Some(came) = self.came() {
                return Poll::Ready(came);
            }
            if received >= FAIR {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            let desk = &mut *self.desk;
            let input = desk.input.get_or_insert_with(|| self.door.here.buffers.take());
            let least = if desk.intake.lacks_rest() { desk.least_input } else { 0 };
            match read(context, &mut self.guest.stream, input, least, least.max(desk.intake.messages.room())) {
                Poll::Ready(None | Some(0)) => return Poll::Ready(Came::End),
                Poll::Ready(Some(count)) => {
                    received += count;
                    add(&self.door.events().bytes_in, count as u64);
                    self.desk.came = now();
                    self.frame();
                }
                Poll::Pending if self.desk.is_empty() => return Poll::Ready(Came::Nothing),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Tells the client what it was notified of: it is between two transactions.
    #[inline]
    pub(crate) fn hear(&mut self, context: &mut Context<'_>) {
        while self.desk.has_told() && self.guest.session.poll_heard(context).is_ready() {
            let mut heard = Vec::new();
            if self.guest.session.take_heard(&mut heard).is_err() {
                let fault = Fault::new(code::TOO_MANY_CONNECTIONS, "too many notifications wait for this client")
                    .hint("It has missed some. Read what comes, or listen on fewer channels.");
                fault.write(&mut heard, Severity::Fatal);
                self.desk.is_over = true;
            }
            self.desk.say(|out| out.extend_from_slice(&heard));
            if self.desk.is_over {
                return;
            }
        }
    }

    /// What is at the front of the input is left alone: it needs a server, or ends the client.
    fn came(&mut self) -> Option<Came> {
        let desk = &mut *self.desk;
        if desk.is_over {
            return Some(Came::End);
        }
        let Some(input) = &desk.input else {
            return self.door.is_draining().then(|| self.ends(&Fault::terminated()));
        };
        if desk.long().is_some() {
            return Some(Came::Long);
        }
        let first = desk.intake.messages.front();
        if first.is_some_and(|message| message.tag == b'X') {
            return Some(Came::End);
        }
        if let (None, Some(refused)) = (first, desk.intake.messages.refused()) {
            let fault = refused.fault();
            self.door.events().failed(Failure::Protocol);
            return Some(self.ends(&fault));
        }
        if self.door.is_draining() && input.is_empty() {
            return Some(self.ends(&Fault::terminated()));
        }
        let is_full = input.len() >= desk.intake.messages.room().min(input.capacity()) && first.is_some();
        (desk.intake.messages.is_due() || is_full).then_some(Came::Something)
    }

    /// The client is told why it must leave.
    fn ends(&mut self, fault: &Fault) -> Came {
        self.say(fault, Severity::Fatal);
        Came::End
    }

    /// Reads a long text, and frames what follows. Others have their turn meanwhile.
    pub(super) async fn read_long(&mut self) {
        let strings = self.desk.done.strings;
        let Some(text) = self.desk.long() else { return };
        let recognised = recognise_in_turns(text, strings).await;
        self.desk.add_long(recognised);
        self.frame();
    }

    /// Frames what has come.
    pub(crate) fn frame(&mut self) {
        self.desk.frame(&mut self.door.memory.borrow_mut());
    }

    /// Data of a COPY that has failed, and what follows an error of the door's own up to its `Sync`.
    fn drop_unanswerable(&mut self) {
        self.desk.drop_idle_data();
        if self.desk.answers.is_skipping() {
            self.desk.skip_to_sync();
        }
    }
}
