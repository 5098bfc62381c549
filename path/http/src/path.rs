//! The path of a request: accept -> admit -> answer -> balance.

use crate::accept::read::{self, Came};
use crate::visit::{After, Visit};
use crate::{admit, answer, balance};

/// Takes one request from its first byte to the last one of its answer.
///
/// Every stage may be the last: it then has answered the client, or the client is gone.
pub(crate) async fn path(visit: &mut Visit<'_>) -> After {
    visit.next();
    // accept: a whole head, or a refusal that closes the connection.
    match read::head(visit).await {
        Came::Head => {}
        Came::Refused(status) => return answer::send::refuse(visit, status).await,
        Came::End => return After::Close,
    }
    // admit: known host, one reading of the path, within bounds; and which route takes it.
    visit.route = match admit::admit(visit) {
        Ok(route) => route,
        Err(status) => return answer::send::refuse(visit, status).await,
    };
    // answer: the site, for a file that comes first or what no app takes.
    if let Some(after) = answer::send::site(visit).await {
        return after;
    }
    // balance: an app's endpoint, or another one.
    match visit.route {
        Some(route) => balance::forward::forward(visit, route).await,
        None => answer::send::refuse(visit, 404).await,
    }
}
