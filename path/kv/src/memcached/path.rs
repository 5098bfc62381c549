//! The path of a batch of memcached requests: client -> request -> store.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::answer::{Stop, answer, say};
use super::flush::clear_all;
use crate::door::Shared;
use crate::visit::{After, Visit};

/// Takes what a client sent from its first byte to the last one of its answer.
pub(crate) async fn path(visit: &mut Visit<'_>) -> After {
    // client: it has sent something, or is gone.
    if visit.is_at_rest()
        && let After::Close = visit.more(1).await
    {
        return After::Close;
    }
    loop {
        // request, store: each is read and done on its keys, until something must be waited for.
        let stop = answer(visit);
        match stop {
            Stop::Away(away) => {
                away.back().await;
                continue;
            }
            Stop::Clear(said) => {
                // If the worker panicked with it nobody knows what it has done.
                let Ok(cleared) = clear_all(&visit.door.common).await else { return After::Close };
                visit.desk.debts.extend(cleared.debts);
                visit.desk.outcome.logged = visit.desk.outcome.logged.max(cleared.logged);
                say(&mut visit.desk.output, said);
                continue;
            }
            Stop::Unsaved(number, key) => {
                if save_first(&visit.door.common, number, key).await.is_err() {
                    return After::Close;
                }
                continue;
            }
            Stop::Needs(_) | Stop::Full | Stop::Paused | Stop::Close => {}
        }
        match visit.flush().await {
            After::Again => {}
            After::Close => return After::Close,
        }
        match stop {
            Stop::Close => return After::Close,
            Stop::Needs(_) if visit.is_at_rest() => return After::Again,
            // client: what is missing.
            Stop::Needs(bytes) => match visit.more(bytes).await {
                After::Again => {}
                After::Close => return After::Close,
            },
            Stop::Paused => visit.door.common.pause.over().await,
            Stop::Full | Stop::Away(_) | Stop::Clear(_) | Stop::Unsaved(..) => {}
        }
    }
}

/// Has a worker put a copy of a key aside, for a save that does not have it yet and of which it is much.
fn save_first(common: &Arc<Shared>, number: usize, key: Box<[u8]>) -> oneshot::Receiver<()> {
    let (sender, done) = oneshot::channel();
    common.store.run_away(vec![number], move |_, keys| {
        keys.iter_mut().for_each(|(_, keys)| keys.keep_one(&key));
        // Who asked may be gone.
        let _ = sender.send(());
    });
    done
}
