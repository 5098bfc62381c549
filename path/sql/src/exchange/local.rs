use std::sync::Arc;

use crate::parse::{Recognised, Step};
use crate::session::answer_locally as answer;
use crate::visit::{After, Visit};

/// What may need no server.
#[derive(Debug)]
pub(super) enum Local {
    /// A simple query.
    Query(Arc<Recognised>),
    /// A `Sync` or a `Flush`.
    End(u8),
}

/// Answers what is at the front and needs no server, of a client that has none; `None`: it does need one.
pub(crate) async fn answer_locally(visit: &mut Visit<'_>) -> Option<After> {
    let local = visit.desk.local().filter(|_| visit.hold.is_none())?;
    match local {
        Local::Query(text) if !visit.guest.session.is_local(&text) => return None,
        Local::Query(text) => answer_query(visit, &text).await,
        // Nothing is before it.
        Local::End(tag) => {
            visit.desk.answer_end(tag);
            Box::pin(visit.catch_up()).await;
        }
    }
    Some(visit.finish_telling().await)
}

async fn answer_query(visit: &mut Visit<'_>, text: &Recognised) {
    let mut bytes = Vec::new();
    Box::pin(answer(&mut visit.guest.session, text, &mut bytes)).await;
    if text.steps.contains(&Step::DiscardAll) {
        visit.guest.names.clear();
    }
    // Postgres forgets it with every `Query`.
    visit.guest.names.drop_unnamed();
    visit.desk.drop_front();
    visit.desk.say(|out| out.extend_from_slice(&bytes));
}
