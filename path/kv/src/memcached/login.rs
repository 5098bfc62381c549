//! Who comes to a door with a password says it first, as the data of a `set`: `user password`.

use super::answer::{Batch, Wait, like, say};
use super::request::{Request, words};
use crate::client::Client;
use crate::frame::Owned;
use crate::users::{Context, Reason};

/// Answers a request of somebody who has not logged in.
pub(super) fn answer(batch: &mut Batch<'_>, client: &mut Client, request: &Request<'_>, out: &mut Vec<u8>) -> Result<(), Wait> {
    let said = match request {
        Request::Store(store) => {
            batch.count(|tally| &tally.auth_cmds);
            let mut said = words(store.data);
            match (said.next(), said.next()) {
                (Some(name), Some(password)) => match batch.common.users.log_in(name, password) {
                    Some(user) => {
                        client.becomes(user);
                        "STORED"
                    }
                    None => {
                        batch.common.denied(&client.peer, name, (Reason::Login, b"AUTH"), Context::Plain);
                        batch.count(|tally| &tally.auth_errors);
                        "CLIENT_ERROR authentication failure"
                    }
                },
                _ => "CLIENT_ERROR bad authentication token format",
            }
        }
        Request::Quit => {
            client.leaves = true;
            ""
        }
        _ => "CLIENT_ERROR unauthenticated",
    };
    say(out, said);
    Ok(())
}

/// Whether the client's user may do what a request asks for: as the command of Redis that does about the same.
pub(super) fn permitted(batch: &Batch<'_>, client: &Client, request: &Request<'_>) -> bool {
    if client.user.may_all {
        return true;
    }
    let command = like(request);
    let may = |key: &[u8]| {
        let words: Owned = match command.name {
            "ping" | "flushall" => [command.name.as_bytes()].into_iter().collect(),
            "get" | "getex" | "del" => [command.name.as_bytes(), key].into_iter().collect(),
            _ => [command.name.as_bytes(), key, b"1"].into_iter().collect(),
        };
        crate::command::permitted(client, batch.common, command, words.args()).is_ok()
    };
    match request {
        Request::Get { keys, .. } => words(keys).all(may),
        request => may(request.key()),
    }
}
