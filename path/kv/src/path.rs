//! The path of a batch of commands: client -> command -> store.

use crate::command::answer;
use crate::command::answer::Stop;
use crate::visit::{After, Visit};

/// Takes what a client sent from its first byte to the last one of its answer.
pub(crate) async fn path(visit: &mut Visit<'_>) -> After {
    // client: whole requests, if there are any by now.
    match visit.receive().await {
        After::Again => {}
        other => return other,
    }
    loop {
        // command, store: each is looked up and done on its keys, until something must be waited for.
        match answer::answer(visit) {
            Stop::Done => return visit.send().await,
            Stop::Full => match visit.send().await {
                After::Again => {}
                other => return other,
            },
            Stop::Away(away) => away.back().await,
            Stop::Long(long) => long.run(visit).await,
            Stop::Posting(posting) => posting.over(visit).await,
            Stop::Scripted(scripted) => scripted.run(visit).await,
            Stop::Asked(asked) => asked.over(visit).await,
            // What was answered before must not wait with it.
            Stop::Blocked(blocked) => match visit.flush().await {
                After::Again => match blocked.over(visit).await {
                    After::Again => {}
                    other => return other,
                },
                other => return other,
            },
            Stop::Paused => match visit.flush().await {
                After::Again => {
                    visit.client.peer.set_paused(true);
                    visit.door.common.pause.over().await;
                    visit.client.peer.set_paused(false);
                }
                other => return other,
            },
        }
    }
}
