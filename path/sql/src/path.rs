//! The path of a batch: client -> parse -> route -> server.

use crate::exchange::{self, Came};
use crate::route::route;
use crate::visit::{After, Visit};

/// Takes what a client sent from its first byte to the last one of its answer.
///
/// A client that keeps its connection comes here again for each transaction, without a wait for one.
pub(crate) async fn path(visit: &mut Visit<'_>) -> After {
    // client: messages that somebody must answer, or the client's end.
    if visit.hold.is_none() {
        match exchange::receive(visit).await {
            Came::Something | Came::Long => {}
            Came::Nothing => return After::Again,
            Came::End => return visit.farewell().await,
        }
    }
    // What a session can answer by itself.
    if let Some(after) = exchange::answer_locally(visit).await {
        return after;
    }
    // parse: what their texts do was recognised while they came.
    let effects = visit.desk.intake.messages.effects();
    // route: which server is to answer.
    let route = route(effects);
    // server: a connection to it, made what the client's session is.
    if let Err(denied) = exchange::hold(visit, route).await {
        return denied.tell(visit).await;
    }
    // and the bytes flow until all is answered.
    exchange::relay(visit).await
}
