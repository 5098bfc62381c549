//! The connections that listen: one task for each database, on the loop that [`serve`] runs on.

use std::collections::{HashMap, VecDeque};
use std::future::{pending, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use loops::now;
use loops::time::sleep;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

use super::line::{Change, Line};
use super::{Order, What};
use crate::error::{ErrorResponse, Fault, Severity};
use crate::events::Events;
use crate::frame::{self, LONGEST};
use crate::server::{AskError, ConnectError, Connection, Key, Reader, VACATED_FOR, ask};

/// How a connection to listen on is opened; it does not count among those of the pool.
pub(crate) type Open = Rc<dyn Fn(Arc<Key>) -> Pin<Box<dyn Future<Output = Result<Connection, ConnectError>>>>>;

/// Whether a connection leads where the clients' statements go.
pub(crate) type LeadsThere = Rc<dyn Fn(&Connection) -> bool>;

/// How often that is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// A connection that nobody listens on is kept that long.
const KEPT: Duration = Duration::from_secs(60);

/// Between two attempts to connect: first and longest.
const PAUSE: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(5)];

/// Channels in one query.
const AT_A_TIME: usize = 256;

type Done = oneshot::Sender<Result<(), ErrorResponse>>;

/// Does what sessions order, for ever.
pub(crate) async fn serve(mut orders: UnboundedReceiver<Order>, (open, leads_there): (Open, LeadsThere), events: Arc<Events>) {
    let mut lines: HashMap<Arc<str>, UnboundedSender<Order>> = HashMap::new();
    while let Some(order) = orders.recv().await {
        let Order::Of { key, .. } = &order else {
            lines.values().for_each(|line| drop(line.send(Order::Vacate)));
            continue;
        };
        let database = key.database.clone();
        let line = lines.entry(database.clone()).or_insert_with(|| {
            let (sender, received) = unbounded_channel();
            let ways = (open.clone(), leads_there.clone());
            let listener = Listener::new(database, ways, events.clone());
            tokio::task::spawn_local(listener.run(received));
            sender
        });
        // The task ends with the loop only.
        let _ = line.send(order);
    }
}

/// One database's.
struct Listener {
    database: Arc<str>,
    open: Open,
    leads_there: LeadsThere,
    events: Arc<Events>,
    line: Line,
    /// What the connection has to do, besides what it does.
    todo: Change,
    /// Who waits for `todo`.
    waiting: Vec<Done>,
    /// Who waits for the query that is being done.
    flying: Option<VecDeque<Done>>,
    /// Who waits for what is on its way, and of them those whose turn it is.
    behind: [Vec<oneshot::Sender<()>>; 2],
    /// The client with whose key the last connection was tried.
    tried: u64,
    /// The connection listens on all that it is to.
    hears: bool,
    /// Something may have been missed, and nobody was told.
    was_lost: bool,
    /// Clients of this database that are in the counts.
    counted: u64,
    /// Until then a connection that nobody listens on goes at once.
    vacated: Option<Instant>,
}

/// Why a connection listens no more.
enum End {
    /// Nobody wants it.
    Unused,
    /// It broke, or refused to listen.
    Lost(String),
    /// The loop ends.
    Over,
}

impl Listener {
    fn new(database: Arc<str>, (open, leads_there): (Open, LeadsThere), events: Arc<Events>) -> Listener {
        Listener {
            database,
            open,
            leads_there,
            events,
            line: Line::default(),
            todo: Change::default(),
            waiting: Vec::new(),
            flying: None,
            behind: Default::default(),
            tried: 0,
            hears: false,
            was_lost: false,
            counted: 0,
            vacated: None,
        }
    }

    async fn run(mut self, mut orders: UnboundedReceiver<Order>) {
        let mut pause = PAUSE[0];
        loop {
            while self.line.is_empty() {
                self.was_lost = false;
                let Some(order) = orders.recv().await else { return };
                self.take(order);
            }
            let Some(opened) = self.connect(&mut orders).await else { return };
            let end = match opened {
                Ok(connection) => {
                    pause = PAUSE[0];
                    self.listen(connection, &mut orders).await
                }
                Err(error) => End::Lost(error),
            };
            match end {
                End::Over => return,
                End::Unused => {}
                End::Lost(why) => {
                    self.lose(&why);
                    if !self.rest(pause, &mut orders).await {
                        return;
                    }
                    pause = PAUSE[1].min(2 * pause);
                }
            }
        }
    }

    /// Opens a connection while orders are taken; `None`: the loop ends.
    async fn connect(&mut self, orders: &mut UnboundedReceiver<Order>) -> Option<Result<Connection, String>> {
        let Some((client, key)) = self.line.key(self.tried) else { return Some(Err("nobody listens any more".into())) };
        self.tried = client;
        let mut opening = (self.open)(key);
        let opened = loop {
            tokio::select! {
                opened = &mut opening => break opened,
                order = orders.recv() => self.take(order?),
            }
        };
        let mut connection = match opened {
            Ok(connection) => connection,
            Err(error) => return Some(Err(error.to_string())),
        };
        Some(prepare(&mut connection).await.map(|()| connection))
    }

    /// Waits while orders are taken; `false`: the loop ends.
    async fn rest(&mut self, pause: Duration, orders: &mut UnboundedReceiver<Order>) -> bool {
        let pause = sleep(pause);
        tokio::pin!(pause);
        loop {
            tokio::select! {
                () = &mut pause => return true,
                order = orders.recv() => match order {
                    Some(order) => self.take(order),
                    None => return false,
                },
            }
        }
    }

    async fn listen(&mut self, mut connection: Connection, orders: &mut UnboundedReceiver<Order>) -> End {
        self.events.listening.opened();
        self.todo = self.line.all();
        let end = self.converse(&mut connection, orders).await;
        self.hears = false;
        self.behind = Default::default();
        self.events.listening.closed();
        end
    }

    async fn converse(&mut self, connection: &mut Connection, orders: &mut UnboundedReceiver<Order>) -> End {
        let mut reader = Reader::default();
        loop {
            if let Err(error) = self.go_on(connection).await {
                return End::Lost(error.to_string());
            }
            let idle = async { if self.line.is_empty() { sleep(self.kept()).await } else { pending().await } };
            let looks = async { if self.line.is_empty() { pending().await } else { sleep(LOOK).await } };
            let readable = poll_fn(|context| connection.stream.poll_readable(context));
            tokio::select! {
                order = orders.recv() => match order {
                    Some(order) => self.take(order),
                    None => return End::Over,
                },
                _ = readable => if let Err(error) = self.read(connection, &mut reader).await {
                    return End::Lost(error);
                },
                () = looks => if !(self.leads_there)(connection) {
                    return End::Lost("statements go to another server now".into());
                },
                () = idle => return End::Unused,
            }
        }
    }

    /// How long a connection stays that nobody listens on.
    fn kept(&self) -> Duration {
        if self.vacated.is_some_and(|until| now() < until) { Duration::ZERO } else { KEPT }
    }

    /// Sends the next query if none is being done.
    async fn go_on(&mut self, connection: &mut Connection) -> std::io::Result<()> {
        if self.flying.is_some() {
            return Ok(());
        }
        if self.todo.is_nothing() {
            self.waiting.drain(..).for_each(|done| drop(done.send(Ok(()))));
            return self.catch_up(connection).await;
        }
        let sql = self.todo.take(AT_A_TIME).sql();
        // Who waits does so for all of it.
        let done = if self.todo.is_nothing() { std::mem::take(&mut self.waiting) } else { Vec::new() };
        self.flying = Some(done.into());
        let mut query = Vec::new();
        frame::message(&mut query, b'Q', |out| frame::text(out, &sql));
        connection.stream.write_all(&query).await
    }

    /// The server tells what it has for the connection before it says that it is ready.
    async fn catch_up(&mut self, connection: &mut Connection) -> std::io::Result<()> {
        let [waiting, turn] = &mut self.behind;
        if waiting.is_empty() {
            return Ok(());
        }
        turn.append(waiting);
        self.flying = Some(VecDeque::new());
        let mut sync = Vec::new();
        frame::message(&mut sync, b'S', |_| {});
        connection.stream.write_all(&sync).await
    }

    /// Takes what came.
    async fn read(&mut self, connection: &mut Connection, reader: &mut Reader) -> Result<(), String> {
        loop {
            let message = reader.next(&mut connection.stream, LONGEST).await.map_err(|error| error.to_string())?;
            match message.tag {
                b'A' => self.deliver(message.body, message.whole),
                b'E' => return Err(self.refuse(ErrorResponse::new(message.body))),
                b'Z' => self.done(),
                _ => {}
            }
            if !reader.has_more() {
                return Ok(());
            }
        }
    }

    fn deliver(&mut self, body: &[u8], whole: &[u8]) {
        let Some((channel, rest)) = body.get(4..).and_then(frame::split_text) else { return };
        let payload = frame::split_text(rest).map_or(rest, |split| split.0);
        self.events.listening.heard();
        let slow = self.line.deliver(channel, payload, whole);
        self.give_up(slow);
    }

    /// Those that let too much wait: their ears end, which tells them.
    fn give_up(&mut self, slow: Vec<u64>) {
        for client in slow {
            self.events.listening.overrun();
            let change = self.line.leave(client);
            self.todo.then(change);
        }
        self.count();
    }

    fn done(&mut self) {
        let done = self.flying.take();
        // Who waits no more need not be told.
        self.behind[1].drain(..).for_each(|done| done.send(()).unwrap_or_default());
        done.into_iter().flatten().for_each(|done| drop(done.send(Ok(()))));
        self.hears |= self.todo.is_nothing();
        if std::mem::take(&mut self.was_lost) {
            let mut notice = Vec::new();
            Fault::new("01000", "the server connection that listens was lost and made again")
                .detail("Notifications of the time between were not delivered.")
                .write(&mut notice, Severity::Warning);
            let slow = self.line.tell_all(&notice);
            self.give_up(slow);
        }
    }

    /// The server refused what was asked, or everything.
    fn refuse(&mut self, said: ErrorResponse) -> String {
        let waiting = self.flying.take().into_iter().flatten().chain(self.waiting.drain(..));
        waiting.for_each(|done| drop(done.send(Err(said.clone()))));
        said.message().into_owned()
    }

    fn take(&mut self, order: Order) {
        let (key, client, what) = match order {
            Order::Of { key, client, what } => (key, client, what),
            Order::Vacate => return self.vacated = Some(now() + VACATED_FOR),
        };
        match what {
            What::Hear { wish, done } => {
                let change = self.line.hear((&key, client), wish);
                self.todo.then(change);
                self.waiting.push(done);
                // Those who do not wait any more.
                self.waiting.retain(|done| !done.is_closed());
            }
            What::Echo { number, done } if self.hears => self.line.expect(number, done),
            // It may never come: who would wait is told so at once.
            What::Echo { .. } => {}
            What::CatchUp { done } if self.hears => {
                self.behind[0].retain(|done| !done.is_closed());
                self.behind[0].push(done);
            }
            What::CatchUp { .. } => {}
            What::Leave => {
                let change = self.line.leave(client);
                self.todo.then(change);
            }
        }
        self.count();
    }

    fn count(&mut self) {
        let now = self.line.clients() as u64;
        self.events.listening.clients(now, std::mem::replace(&mut self.counted, now));
    }

    fn lose(&mut self, why: &str) {
        self.waiting.extend(self.flying.take().into_iter().flatten());
        self.line.forget_echoes();
        if self.line.is_empty() {
            return;
        }
        if !std::mem::replace(&mut self.was_lost, true) {
            self.events.listening.lost();
            self.events.nothing_listens(&self.database, self.line.clients(), why);
        }
    }
}

/// Makes a connection fit to listen: what it is told comes in the database's encoding, and its rest may be long.
async fn prepare(connection: &mut Connection) -> Result<(), String> {
    let encoding = connection.reported.get("server_encoding").map(String::from_utf8_lossy).unwrap_or_default();
    let set = format!("SET client_encoding TO '{encoding}';SET application_name TO 'plimsoll listener'");
    // Servers before 14 have no such bound.
    for sql in [&*set, "SET idle_session_timeout TO 0"] {
        if let Err(AskError::Lost(error)) = ask(connection, sql, |_| {}).await {
            return Err(error.to_string());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::listening::{Ears, Wish};
    use crate::server::Pool;

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_an_echo_while_no_connection_listens() {
        let events = Events::new(telemetry::Log::nowhere(), "main".into(), Pool::new(1, 1).0, loops::Seats::new(1).0, 1);
        let ways: (Open, LeadsThere) = (Rc::new(|_| Box::pin(pending())), Rc::new(|_| true));
        let mut listener = Listener::new("d".into(), ways, Arc::new(events));
        let (key, (_ears, sender)) = (Arc::new(Key { user: "u".into(), database: "d".into() }), Ears::shared());
        let (done, _waits) = oneshot::channel();
        let wish = Wish { sender: Some(sender), ..Wish::default() };
        listener.take(Order::Of { key: key.clone(), client: 1, what: What::Hear { wish, done } });
        for hears in [false, true] {
            listener.hears = hears;
            let ((echoed, heard), (done, caught_up)) = (oneshot::channel(), oneshot::channel());
            for what in [What::Echo { number: 5, done: echoed }, What::CatchUp { done }] {
                listener.take(Order::Of { key: key.clone(), client: 1, what });
            }
            for mut waits in [heard, caught_up] {
                assert_eq!(waits.try_recv().err() == Some(oneshot::error::TryRecvError::Closed), !hears);
            }
        }
    }
}
