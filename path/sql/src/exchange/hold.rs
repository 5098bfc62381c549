//! server: a connection for a client that has something to say, made what its session is.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll, ready};

use loops::now;

use super::desk::Desk;
use super::flow::read;
use crate::error::{ErrorResponse, Fault, Severity};
use crate::events::{Failure, LoopEvents, add};
use crate::route::Route;
use crate::server::{Lent, Refused, TRIES, Tried, Unfit};
use crate::session::{Unsettled, settle};
use crate::visit::{After, Hold, Visit};
use tls::Stream;

/// Why a client has no connection.
#[derive(Debug)]
pub(crate) enum Denied {
    /// It is gone.
    Gone,
    /// It is told this, an error that its batch fails with.
    Error(Vec<u8>),
    /// The same, and no connection is to be had: whatever it has sent fails with it.
    Refused(Vec<u8>),
}

/// Makes sure that the client has a connection to where `route` leads, that is its session.
pub(crate) async fn hold(visit: &mut Visit<'_>, route: Route) -> Result<(), Denied> {
    let Route::Primary = route;
    if visit.hold.is_some() {
        return Ok(());
    }
    let lent = match visit.try_lend() {
        Some(lent) => lent,
        None => Box::pin(visit.wait()).await?,
    };
    match visit.take(lent).await {
        Ok(()) => Ok(()),
        Err(unfit) => Box::pin(visit.take_another(unfit)).await,
    }
}

impl Visit<'_> {
    /// An idle connection: that of its sequences for a client that asks for their state.
    fn try_lend(&self) -> Option<Lent> {
        let (side, key) = (&self.door.side, &self.guest.key);
        let effects = self.desk.intake.messages.effects().and(self.guest.names.effects());
        let home = self.guest.session.home(effects).and_then(|home| side.try_lend_home(key, home));
        home.or_else(|| side.try_lend(key, |connection| self.guest.session.is_settled(connection)))
    }

    /// Waits for a connection. A client that cancels waits no more, nor does one that leaves without having said so: what
    /// came before its `Terminate` is done all the same.
    async fn wait(&mut self) -> Result<Lent, Denied> {
        let lent = {
            let mut lend = pin!(self.door.side.lend(&self.guest.key));
            let (stream, desk) = (&mut self.guest.stream, &mut self.desk);
            let (mut cancelled, mut has_left) = (pin!(self.guest.seat.cancelled()), false);
            poll_fn(|context| {
                if let Poll::Ready(lent) = lend.as_mut().poll(context) {
                    return Poll::Ready(Ok(lent));
                }
                if cancelled.as_mut().poll(context).is_ready() {
                    return Poll::Ready(Err(Denied::error(&Fault::canceled())));
                }
                if !has_left && desk.poll_client(context, stream, self.door.events()).is_ready() {
                    desk.frame(&mut self.door.memory.borrow_mut());
                    has_left = desk.intake.messages.is_end();
                    if !has_left {
                        return Poll::Ready(Err(Denied::Gone));
                    }
                }
                Poll::Pending
            })
            .await?
        };
        // What came meanwhile.
        self.frame();
        lent.map_err(|refused| Denied::refused(self, &refused))
    }

    /// Takes a connection in the place of one that has proved unfit.
    async fn take_another(&mut self, mut unfit: Unfit) -> Result<(), Denied> {
        let mut tried = Tried::default();
        for _ in 1..TRIES {
            self.judge(unfit, &mut tried)?;
            let lent = match self.try_lend() {
                Some(lent) => lent,
                None => {
                    tried.make_room();
                    self.wait().await?
                }
            };
            match self.take(lent).await {
                Ok(()) => return Ok(()),
                Err(next) => unfit = next,
            }
        }
        self.judge(unfit, &mut tried)?;
        Err(match tried.said() {
            Some(said) => self.deny(said),
            None => Denied::refused(self, &Refused::Away("every connection to it broke at once".into())),
        })
    }

    fn judge(&mut self, unfit: Unfit, tried: &mut Tried) -> Result<(), Denied> {
        tried.judge(unfit, |said| self.guest.session.is_final(said)).map_err(|said| self.deny(said))
    }

    fn deny(&mut self, said: ErrorResponse) -> Denied {
        let bytes = said.bytes().to_vec();
        self.guest.session.note_refused(said);
        Denied::Error(bytes)
    }

    /// Takes a connection, if it can be made the client's.
    async fn take(&mut self, mut lent: Lent) -> Result<(), Unfit> {
        let session = &mut self.guest.session;
        if !session.is_settled(&lent) {
            let mut news = Vec::new();
            match Box::pin(settle(session, &mut lent, &mut news)).await {
                Ok(()) => self.desk.tell_first(&news),
                Err(Unsettled::Refused(said)) => return Err(Unfit::Refused(Box::new((lent, said)))),
                Err(Unsettled::Lost) => return Err(Unfit::Lost),
            }
        }
        lent.last = Some(self.guest.number);
        let cancel = self.guest.seat.lend(&lent.cancel, self.desk.came);
        self.hold = Some(Hold { cancel, lent });
        self.desk.begin_lending();
        Ok(())
    }
}

impl Desk {
    /// Reads what the client says while it waits, as far as there is room for it; ready when it is gone.
    fn poll_client(&mut self, context: &mut Context<'_>, stream: &mut Stream, events: &LoopEvents) -> Poll<()> {
        let Some(input) = &mut self.input else { return Poll::Pending };
        while let Some(count @ 1..) = ready!(read(context, stream, input, 0, self.intake.messages.room())) {
            add(&events.bytes_in, count as u64);
            self.came = now();
        }
        Poll::Ready(())
    }
}

impl Denied {
    fn error(fault: &Fault) -> Denied {
        let mut bytes = Vec::new();
        fault.write(&mut bytes, Severity::Error);
        Denied::Error(bytes)
    }

    fn refused(visit: &Visit<'_>, refused: &Refused) -> Denied {
        visit.door.events().failed(match refused {
            Refused::Full { .. } | Refused::Busy { .. } => Failure::Wait,
            Refused::Away(_) | Refused::Unable(_) | Refused::Crowded(_) | Refused::Closing | Refused::Failed(_) => Failure::Unreachable,
        });
        let mut bytes = Vec::new();
        refused.write(&mut bytes, Severity::Error);
        Denied::Refused(bytes)
    }

    /// Tells the client, whose batch fails with it; the client stays.
    pub(crate) async fn tell(self, visit: &mut Visit<'_>) -> After {
        match self {
            Denied::Gone => return After::Close,
            Denied::Error(bytes) => visit.desk.fail(&bytes),
            Denied::Refused(bytes) => visit.desk.fail_all(&bytes),
        }
        visit.finish_telling().await
    }
}
