//! The pool without a server: connections are socket pairs, the other ends held by the test.

mod chores;
mod hammer;
mod simulation;

use std::cell::RefCell;
use std::collections::HashMap;
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use contract::{Database, ServerAddress};
use loops::{Alarms, Buffers, Loop, Seats};
use tokio::sync::mpsc::UnboundedReceiver;

use super::{Message, Pool, Side};
use crate::events::Events;
use crate::plan;
use crate::server::tests::target;
use crate::server::{Connection, Key};
use crate::session::Traces;
use crate::view::Shape;
use tls::Stream;

/// What a server holds of a connection, by the connection's number.
type Ends = Rc<RefCell<HashMap<u64, UnixStream>>>;

fn plan(pool: plan::Pool) -> plan::Plan {
    let listen = plan::Listen { address: "127.0.0.1:0".parse().unwrap(), written: true };
    let server = plan::ServerTls { mode: plan::SslMode::Disable, roots: None };
    plan::Plan {
        name: "main".into(),
        listen,
        primary: None,
        user: "user".into(),
        users: [("user".into(), plan::Password("secret".into()))].into(),
        database: "a".into(),
        server,
        pool,
        limits: plan::Limits::default(),
        tls: None,
        reuse: true,
        slow: None,
    }
}

fn bounds(server: usize) -> plan::Pool {
    let minute = Duration::from_secs(60);
    plan::Pool { server, client: 1000, wait: minute / 2, least: 0, idle: 10 * minute, age: 60 * minute, statements: 100 }
}

fn address() -> ServerAddress {
    ServerAddress::Tcp("db".into(), 5432)
}

fn database() -> Database {
    Database::outside(address())
}

fn shape(pool: plan::Pool) -> Arc<Shape> {
    Arc::new(Shape::new(plan(pool), None).unwrap())
}

/// A pool for `loops` loops, what it counts, and what its loops are told.
fn pool(loops: usize, most: usize) -> (Arc<Pool>, Arc<Events>, Vec<UnboundedReceiver<Message>>) {
    let (pool, messages) = Pool::new(loops, most);
    let events = Events::new(telemetry::Log::nowhere(), "main".into(), pool.clone(), Seats::new(loops).0, loops);
    (pool, Arc::new(events), messages)
}

fn here(index: usize) -> Loop {
    Loop { index, alarms: Alarms::default(), buffers: Buffers::default() }
}

/// A connection and its other end.
fn connection(id: u64, address: ServerAddress, key: Arc<Key>) -> (Connection, UnixStream) {
    let (ours, other) = UnixStream::pair().unwrap();
    ours.set_nonblocking(true).unwrap();
    let stream = Stream::Unix(tokio::net::UnixStream::from_std(ours).unwrap());
    let now = tokio::time::Instant::now().into_std();
    let connection = Connection {
        id,
        stream,
        key,
        address,
        way: 0,
        cancel: target(),
        reported: Arc::default(),
        prepared: Default::default(),
        parameters: Arc::default(),
        last: None,
        traces: Traces::None,
        opened: now,
        used: now,
    };
    (connection, other)
}

fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build_local(Default::default());
    runtime.unwrap().block_on(test)
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
