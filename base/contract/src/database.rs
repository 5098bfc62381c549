use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{mpsc, watch};

/// Where a Postgres server is reached.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ServerAddress {
    /// A host name or address, and a port.
    Tcp(Arc<str>, u16),
    /// A Unix socket: the file `.s.PGSQL.PORT` itself.
    Unix(Arc<PathBuf>),
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ServerAddress::Tcp(host, port) if host.contains(':') => write!(out, "[{host}]:{port}"),
            ServerAddress::Tcp(host, port) => write!(out, "{host}:{port}"),
            ServerAddress::Unix(path) => write!(out, "{}", path.display()),
        }
    }
}

/// What is known of a server's life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerState {
    /// It starts when somebody wants it.
    Asleep,
    /// It is being made ready, or comes back after a crash: wait.
    Starting,
    /// It takes connections.
    Up(ServerAddress),
    /// It cannot run; the reason says what to do. It may still come back.
    Down(Arc<str>),
    /// As `Down`, and waiting is of no use: somebody must put right what the reason says. Who wants it is told at once.
    Unable(Arc<str>),
}

/// A server as the SQL door sees it: its state, and the way to say that it is wanted. Clones mean the same server.
#[derive(Debug, Clone)]
pub struct Database {
    state: watch::Receiver<ServerState>,
    wanted: mpsc::Sender<()>,
}

/// The side of a [`Database`] that runs it.
#[derive(Debug)]
pub struct DatabaseKeeper {
    /// What the door is told.
    pub state: watch::Sender<ServerState>,
    /// Comes when somebody wants a connection although the state is not `Up`; repeated wishes are one.
    pub wanted: mpsc::Receiver<()>,
}

impl Database {
    /// A server that somebody else runs and that is always worth a try.
    pub fn outside(address: ServerAddress) -> Database {
        let (keeper, database) = DatabaseKeeper::new(ServerState::Up(address));
        // Nobody has to listen: `Up` is never `wanted`.
        drop(keeper);
        database
    }

    /// The state now.
    pub fn state(&self) -> ServerState {
        self.state.borrow().clone()
    }

    /// The state, to be watched. A closed channel means that the last state holds for good.
    pub fn watch(&self) -> watch::Receiver<ServerState> {
        self.state.clone()
    }

    /// Says that a connection is wanted.
    pub fn want(&self) {
        // Full: it was said already. Closed: it is always up.
        let _ = self.wanted.try_send(());
    }
}

impl DatabaseKeeper {
    /// Both sides, with the first state.
    pub fn new(state: ServerState) -> (DatabaseKeeper, Database) {
        let (state, watched) = watch::channel(state);
        let (wanted, wishes) = mpsc::channel(1);
        (DatabaseKeeper { state, wanted: wishes }, Database { state: watched, wanted })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn many_wishes_are_one() {
        let (mut keeper, database) = DatabaseKeeper::new(ServerState::Asleep);
        database.want();
        database.want();
        assert_eq!(keeper.wanted.recv().await, Some(()));
        assert!(keeper.wanted.try_recv().is_err());
        keeper.state.send_replace(ServerState::Starting);
        assert_eq!(database.state(), ServerState::Starting);
    }

    #[test]
    fn an_outside_server_is_up() {
        let address = ServerAddress::Tcp("db1".into(), 5432);
        let database = Database::outside(address.clone());
        database.want();
        assert_eq!(database.state(), ServerState::Up(address));
    }
}
