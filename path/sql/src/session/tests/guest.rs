//! The least that a client and its loop do with a session: simple queries, one after another.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use testkit::postgres::{PASSWORD, Postgres};

use crate::error::ErrorResponse;
use crate::events::Events;
use crate::frame::{self, LONGEST};
use crate::listening::{Listeners, Open, is_of, serve};
use crate::parse::{Recognised, recognise};
use crate::pins::PinBoard;
use crate::plan::SslMode;
use crate::server::tests::trust;
use crate::server::{Connection, Key, Pool, Reader, connect};
use crate::session::*;

/// A server, a loop's sessions, and the connections that nobody has.
pub(super) struct House {
    pub(super) server: Rc<Postgres>,
    pub(super) sessions: Rc<Sessions>,
    pub(super) free: Vec<Connection>,
    pub(super) key: Arc<Key>,
    pub(super) events: Arc<Events>,
    clients: u64,
    pub(super) opened: u64,
    /// What connections claim to be connected to.
    pub(super) version: Option<&'static str>,
}

/// A client.
pub(super) struct Guest {
    pub(super) session: Session,
    pub(super) held: Option<Connection>,
    /// Parameters as it was told.
    pub(super) told: BTreeMap<String, String>,
}

/// What came up to `ReadyForQuery`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) rows: Vec<Vec<Option<String>>>,
    pub(super) tags: Vec<String>,
    pub(super) errors: Vec<String>,
    pub(super) notices: Vec<String>,
    /// Process, channel, payload.
    pub(super) heard: Vec<(u32, String, String)>,
    pub(super) order: String,
    pub(super) status: u8,
}

impl Said {
    /// The only value.
    #[track_caller]
    pub(super) fn value(&self) -> &str {
        match &self.rows[..] {
            [row] if row.len() == 1 && self.errors.is_empty() => row[0].as_deref().unwrap_or("(null)"),
            _ => panic!("not one value: {self:?}"),
        }
    }

    fn take(&mut self, tag: u8, body: &[u8], told: &mut BTreeMap<String, String>) {
        self.order.push(char::from(tag));
        let strings =
            |body: &[u8]| -> Vec<String> { body.split(|byte| *byte == 0).map(|text| String::from_utf8_lossy(text).into_owned()).collect() };
        match tag {
            b'D' => self.rows.push(row(&body[2..])),
            b'C' => self.tags.push(strings(body).remove(0)),
            b'E' => self.errors.push(ErrorResponse::new(body).code().into()),
            b'N' => self.notices.push(ErrorResponse::new(body).code().into()),
            b'S' => {
                let pair = strings(body);
                told.insert(pair[0].clone(), pair[1].clone());
            }
            b'A' => {
                let process = u32::from_be_bytes(body[..4].try_into().unwrap());
                let text = strings(&body[4..]);
                self.heard.push((process, text[0].clone(), text[1].clone()));
            }
            b'Z' => self.status = body[0],
            _ => {}
        }
    }

    fn take_all(&mut self, mut bytes: &[u8], told: &mut BTreeMap<String, String>) {
        while let Some(header) = frame::header(bytes).unwrap() {
            let (message, rest) = bytes.split_at(frame::HEADER + header.body);
            self.take(header.tag, &message[frame::HEADER..], told);
            bytes = rest;
        }
    }
}

fn row(mut rest: &[u8]) -> Vec<Option<String>> {
    let mut row = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk() {
        let length = i32::from_be_bytes(*length);
        let (value, after) = after.split_at(length.max(0) as usize);
        row.push((length >= 0).then(|| String::from_utf8_lossy(value).into_owned()));
        rest = after;
    }
    row
}

impl House {
    /// For clients of `user` in the database `app`.
    pub(super) fn new(server: &Rc<Postgres>, user: &str) -> House {
        let pool = Pool::new(1, 1).0;
        let events = Arc::new(Events::new(telemetry::Log::nowhere(), "main".into(), pool, loops::Seats::new(1).0, 1));
        let (listeners, orders) = Listeners::new();
        let to = server.clone();
        let open: Open = Rc::new(move |key| {
            let server = to.clone();
            Box::pin(async move { open(&server, &key).await })
        });
        tokio::task::spawn_local(serve(orders, (open, Rc::new(|_| true)), events.clone()));
        let pins = PinBoard::new(0, events.clone());
        let sessions = Sessions::new(pins, listeners, Arc::default(), Duration::from_secs(20));
        let key = Arc::new(Key { user: user.into(), database: "app".into() });
        House { server: server.clone(), sessions, free: Vec::new(), key, events, clients: 0, opened: 0, version: None }
    }

    pub(super) async fn guest(&mut self, startup: &[(&str, &str)]) -> Guest {
        self.clients += 1;
        let startup = Arc::new(startup.iter().map(|(name, value)| (Box::from(*name), Box::from(*value))).collect());
        let client = Client { number: self.clients, process: 1_000_000 + self.clients as u32, key: self.key.clone(), address: None };
        let session = Session::new(&self.sessions, client, &startup, &Arc::default());
        let mut guest = Guest { session, held: None, told: BTreeMap::from([("(status)".into(), "I".into())]) };
        let mut connection = self.take(None).await;
        let mut news = Vec::new();
        settle(&mut guest.session, &mut connection, &mut news).await.unwrap();
        Said::default().take_all(&news, &mut guest.told);
        self.free.push(connection);
        guest
    }

    async fn take(&mut self, home: Option<u64>) -> Connection {
        let at = home.and_then(|home| self.free.iter().position(|connection| connection.id == home));
        if let Some(at) = at {
            return self.free.remove(at);
        }
        if let Some(connection) = self.free.pop() {
            return connection;
        }
        self.opened += 1;
        let mut connection = open(&self.server, &self.key).await.unwrap();
        connection.id = self.opened;
        if let Some(version) = self.version {
            connection.reported.set("server_version", version.as_bytes());
        }
        connection
    }

    /// What a client is answered; its connection goes back if it may.
    pub(super) async fn run(&mut self, guest: &mut Guest, sql: &str) -> Said {
        let text = recognise(sql.as_bytes(), guest.session.strings());
        let mut said = Said::default();
        if guest.held.is_none() && guest.session.is_local(&text) {
            let mut out = Vec::new();
            answer_locally(&mut guest.session, &text, &mut out).await;
            said.take_all(&out, &mut guest.told);
            return said;
        }
        let mut connection = match guest.held.take() {
            Some(connection) => connection,
            None => self.take(guest.session.home(text.effects)).await,
        };
        let mut news = Vec::new();
        if !guest.session.is_settled(&connection)
            && let Err(error) = settle(&mut guest.session, &mut connection, &mut news).await
        {
            said.errors.push(format!("{error:?}"));
            return said;
        }
        said.take_all(&news, &mut guest.told);
        if guest.session.must_prepare(&connection, &text, false) && guest.status() != b'E' {
            prepare(&mut guest.session, &mut connection, &text, false).await.unwrap();
        }
        guest.session.sends(&mut connection, &text);
        exchange(guest, &mut connection, sql, &text, &mut said).await;
        let mut out = Vec::new();
        let mut verdict = Verdict::Free;
        match guest.status() {
            b'T' if guest.session.must_restore() => restore(&mut guest.session, &mut connection, &mut out).await.unwrap(),
            b'I' if guest.session.must_probe() => verdict = probe(&mut guest.session, &mut connection, &mut out).await,
            _ => {}
        }
        assert_ne!(verdict, Verdict::Lost);
        guest.session.was_told(&mut connection);
        if guest.status() == b'I' {
            guest.session.take_heard(&mut out).unwrap();
        }
        said.take_all(&out, &mut guest.told);
        said.order.push('Z');
        said.status = guest.status();
        if guest.status() != b'I' || guest.session.is_pinned() {
            guest.held = Some(connection);
        } else {
            self.free.push(connection);
        }
        said
    }
}

impl Guest {
    fn status(&self) -> u8 {
        self.told["(status)"].as_bytes()[0]
    }

    /// What an idle client hears within a while.
    pub(super) async fn hears(&mut self) -> Said {
        let heard = std::future::poll_fn(|context| self.session.poll_heard(context));
        let mut said = Said::default();
        if tokio::time::timeout(Duration::from_secs(20), heard).await.is_ok() {
            let mut out = Vec::new();
            self.session.take_heard(&mut out).unwrap();
            said.take_all(&out, &mut self.told);
        }
        said
    }
}

async fn exchange(guest: &mut Guest, connection: &mut Connection, sql: &str, text: &Recognised, said: &mut Said) {
    let mut query = Vec::new();
    frame::message(&mut query, b'Q', |out| frame::text(out, sql.as_bytes()));
    connection.stream.write_all(&query).await.unwrap();
    let (mut reader, mut step) = (Reader::default(), 0);
    loop {
        let message = reader.next(&mut connection.stream, LONGEST).await.unwrap();
        match message.tag {
            b'C' => {
                guest.session.note(text, step);
                step += 1;
            }
            b'S' => connection.reported.read(message.body),
            b'A' if !guest.session.hears() || guest.session.elsewhere().is_some_and(|channels| is_of(message.body, channels)) => continue,
            b'Z' => {
                guest.told.insert("(status)".into(), char::from(message.body[0]).into());
                return;
            }
            _ => {}
        }
        said.take(message.tag, message.body, &mut guest.told);
    }
}

pub(super) async fn open(server: &Postgres, key: &Arc<Key>) -> Result<Connection, crate::server::ConnectError> {
    let address = contract::ServerAddress::Tcp("127.0.0.1".into(), server.port());
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    connect(&address, &trust(SslMode::Disable, None), key, &crate::plan::Password(PASSWORD.into()), deadline).await
}
