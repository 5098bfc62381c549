//! The control socket: one JSON line asks the running Plimsoll, one JSON line answers.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc, oneshot};
use watch::KeysState;

use crate::state;

/// What a verb asks of the running process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// The picture.
    Status,
    /// How to come in at every SQL door, passwords included: the socket is this user's alone.
    Databases,
    /// What is known of the keys of stores.
    Keys(KeysOrder),
    /// Read the file again and go over to it; refused when another file than the one meant is what runs.
    Reload(PathBuf),
}

/// What it answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// See [`Order::Status`].
    Status(serde_json::Value),
    /// See [`Order::Databases`]; in the order of the file.
    Databases(Vec<Entrance>),
    /// See [`Order::Keys`]; in the order of the file.
    Keys(Vec<KeysState>),
    /// The new file runs; a line for each change.
    Reloaded(Vec<String>),
    /// The old file keeps running; why.
    Refused(Vec<String>),
    /// It is starting or ending and takes no orders.
    Ending,
}

/// Which stores are meant, and what of their keys is told besides the classes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeysOrder {
    /// NAME of `[kv.NAME]`; all when it is left out.
    pub store: Option<String>,
    /// Those that are used most.
    pub hot: bool,
    /// The biggest.
    pub big: bool,
    /// At most so many of each.
    pub most: u32,
}

/// How a client comes in at an SQL door. Its `Debug` hides the password.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entrance {
    /// NAME of `[sql.NAME]`.
    pub name: String,
    /// Where the door listens, for clients on this machine.
    pub address: SocketAddr,
    /// The user.
    pub user: String,
    /// Its password.
    pub password: String,
    /// The database.
    pub database: String,
    /// The folder of the embedded server's programs, when it is behind the door and they were found.
    pub programs: Option<PathBuf>,
    /// The major version of that server.
    pub major: Option<u32>,
}

impl fmt::Debug for Entrance {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Entrance").field("name", &self.name).field("address", &self.address).finish_non_exhaustive()
    }
}

/// An order with the place for its answer.
pub type Asked = (Order, oneshot::Sender<Answer>);

/// Orders open at once.
const OPEN: usize = 32;
/// Bytes of an order.
const LINE: u64 = 4096;
/// Bytes of an answer.
const ANSWER: u64 = 16 << 20;

/// Answers the socket until it is dropped; orders go to `orders`.
pub async fn serve(listener: UnixListener, orders: mpsc::Sender<Asked>) {
    let seats = Arc::new(Semaphore::new(OPEN));
    loop {
        let Ok(seat) = seats.clone().acquire_owned().await else { return };
        match listener.accept().await {
            // Nobody else's business: it tells passwords.
            Ok((stream, _)) if !is_ours(&stream) => {}
            Ok((stream, _)) => {
                let orders = orders.clone();
                tokio::spawn(async move {
                    // A verb that went away needs no answer.
                    let _ = answer(stream, orders).await;
                    drop(seat);
                });
            }
            // Out of descriptors: wait for some to come free.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

/// Whether this user or root asks, whatever the socket's mode let through.
fn is_ours(stream: &UnixStream) -> bool {
    stream.peer_cred().is_ok_and(|peer| peer.uid() == 0 || peer.uid() == rustix::process::geteuid().as_raw())
}

async fn answer(mut stream: UnixStream, orders: mpsc::Sender<Asked>) -> io::Result<()> {
    let (reader, mut writer) = stream.split();
    let mut line = String::new();
    tokio::io::BufReader::new(reader.take(LINE)).read_line(&mut line).await?;
    let answer = match serde_json::from_str(&line) {
        Ok(order) => {
            let (sender, receiver) = oneshot::channel();
            match orders.send((order, sender)).await {
                Ok(()) => receiver.await.unwrap_or(Answer::Ending),
                Err(_) => Answer::Ending,
            }
        }
        Err(error) => Answer::Refused(vec![format!("this Plimsoll does not know the order ({error}); is it another version?")]),
    };
    let mut text = serde_json::to_string(&answer)?;
    text.push('\n');
    writer.write_all(text.as_bytes()).await
}

/// Asks the Plimsoll that runs over `dir`; `None`: none does. `patience` bounds the wait for the answer.
pub fn ask(dir: &Path, order: Order, patience: Duration) -> io::Result<Option<Answer>> {
    let mut stream = match state::connect(dir) {
        Ok(stream) => stream,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => return Ok(None),
        Err(error) => return Err(error),
    };
    stream.set_read_timeout(Some(patience))?;
    let mut line = serde_json::to_string(&order)?;
    line.push('\n');
    stream.write_all(line.as_bytes())?;
    let mut text = String::new();
    BufReader::new(stream.take(ANSWER)).read_line(&mut text)?;
    if text.is_empty() {
        return Ok(Some(Answer::Ending));
    }
    Ok(Some(serde_json::from_str(&text)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::State;

    #[tokio::test]
    async fn an_order_is_answered_and_nonsense_refused() {
        let scratch = tempfile::tempdir().unwrap();
        let dir = scratch.path().to_path_buf();
        let state = State::take(&dir, |_| false).unwrap();
        assert_eq!(ask(&dir, Order::Status, Duration::from_secs(1)).unwrap(), None);
        let listener = state.listen().unwrap();
        listener.set_nonblocking(true).unwrap();
        let (sender, mut orders) = mpsc::channel::<Asked>(1);
        tokio::spawn(serve(UnixListener::from_std(listener).unwrap(), sender));
        let asking = tokio::task::spawn_blocking({
            let dir = dir.clone();
            move || ask(&dir, Order::Reload("/x.toml".into()), Duration::from_secs(30))
        });
        let (order, reply) = orders.recv().await.unwrap();
        assert_eq!(order, Order::Reload("/x.toml".into()));
        reply.send(Answer::Reloaded(vec!["http.log".into()])).unwrap();
        assert_eq!(asking.await.unwrap().unwrap(), Some(Answer::Reloaded(vec!["http.log".into()])));

        let nonsense = tokio::task::spawn_blocking(move || {
            let mut stream = state::connect(&dir).unwrap();
            stream.write_all(b"\"fly\"\n").unwrap();
            let mut text = String::new();
            stream.read_to_string(&mut text).unwrap();
            text
        });
        assert!(nonsense.await.unwrap().contains("does not know the order"));
    }
}
