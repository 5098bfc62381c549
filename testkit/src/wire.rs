//! A raw Postgres client: the test says which messages go out and sees which come in. Blocking, one thread each.

mod answer;
pub mod frames;

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use postgres_protocol::authentication::sasl::{ChannelBinding, ScramSha256};

pub use answer::{Answer, Message, Notice};

/// The longest a test waits for one read.
const PATIENCE: Duration = Duration::from_secs(60);

/// A connection that is logged in.
pub struct Wire {
    stream: TcpStream,
    address: String,
    input: Vec<u8>,
    taken: usize,
    /// The process that BackendKeyData named.
    pub process: u32,
    /// What a cancel needs.
    pub secret: Vec<u8>,
    /// As ParameterStatus last said.
    pub parameters: BTreeMap<String, String>,
}

/// Whom to be.
#[derive(Clone, Debug)]
pub struct Login {
    /// The role.
    pub user: String,
    /// Its password.
    pub password: String,
    /// The database.
    pub database: String,
    /// Further startup parameters.
    pub parameters: Vec<(String, String)>,
}

impl Login {
    /// A user with [`crate::postgres::PASSWORD`].
    pub fn new(user: &str, database: &str) -> Login {
        let password = crate::postgres::PASSWORD.to_owned();
        Login { user: user.into(), password, database: database.into(), parameters: Vec::new() }
    }

    /// With one more startup parameter.
    pub fn with(mut self, name: &str, value: &str) -> Login {
        self.parameters.push((name.into(), value.into()));
        self
    }
}

impl Wire {
    /// Connects and logs in; the server's refusal is an error that begins with its SQLSTATE.
    pub fn connect(address: &str, login: &Login) -> io::Result<Wire> {
        let mut wire = Wire::open(address)?;
        wire.send(&frames::startup(login))?;
        wire.log_in(login)?;
        Ok(wire)
    }

    /// Connects and says nothing yet.
    pub fn open(address: &str) -> io::Result<Wire> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let (input, secret, parameters) = Default::default();
        Ok(Wire { stream, address: address.to_owned(), input, taken: 0, process: 0, secret, parameters })
    }

    /// After a startup packet: answers what the server asks until it is ready.
    pub fn log_in(&mut self, login: &Login) -> io::Result<()> {
        self.log_in_with(login, &[])
    }

    /// The same; `early` goes out with the last word of the login.
    pub fn log_in_with(&mut self, login: &Login, early: &[u8]) -> io::Result<()> {
        loop {
            let message = self.receive()?;
            match message.tag {
                b'R' => self.authenticate(login, &message.body, early)?,
                b'K' => {
                    let (process, secret) = message.body.split_at(4);
                    self.process = u32::from_be_bytes(process.try_into().expect("split at 4"));
                    self.secret = secret.to_vec();
                }
                b'E' => return Err(Notice::read(&message.body).into()),
                b'Z' => return Ok(()),
                _ => {}
            }
        }
    }

    fn authenticate(&mut self, login: &Login, body: &[u8], early: &[u8]) -> io::Result<()> {
        match body.get(..4) {
            Some([0, 0, 0, 0]) => Ok(()),
            Some([0, 0, 0, 10]) => self.scram(&login.password, early),
            _ => Err(unexpected(&format!("authentication {body:?}"))),
        }
    }

    fn scram(&mut self, password: &str, early: &[u8]) -> io::Result<()> {
        let mut scram = ScramSha256::new(password.as_bytes(), ChannelBinding::unsupported());
        self.send(&frames::sasl_first("SCRAM-SHA-256", scram.message()))?;
        let challenge = self.sasl(11)?;
        scram.update(&challenge)?;
        self.send(&[&frames::message(b'p', scram.message()), early].concat())?;
        let proof = self.sasl(12)?;
        scram.finish(&proof)
    }

    fn sasl(&mut self, kind: u8) -> io::Result<Vec<u8>> {
        let message = self.receive()?;
        match (message.tag, message.body.strip_prefix(&[0, 0, 0, kind])) {
            (b'R', Some(data)) => Ok(data.to_vec()),
            (b'E', _) => Err(Notice::read(&message.body).into()),
            _ => Err(unexpected(&format!("{message:?} in SCRAM"))),
        }
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// The next message; ParameterStatus is noted on the way.
    pub fn receive(&mut self) -> io::Result<Message> {
        let message = self.next()?;
        if message.tag == b'S'
            && let [name, value] = &message.strings()[..]
        {
            self.parameters.insert(name.clone(), value.clone());
        }
        Ok(message)
    }

    fn next(&mut self) -> io::Result<Message> {
        loop {
            let rest = &self.input[self.taken..];
            if let Some((message, length)) = Message::split(rest) {
                self.taken += length;
                return Ok(message);
            }
            self.input.drain(..self.taken);
            self.taken = 0;
            self.fill()?;
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        let start = self.input.len();
        self.input.resize(start + 16_384, 0);
        let read = self.stream.read(&mut self.input[start..]);
        self.input.truncate(start + *read.as_ref().unwrap_or(&0));
        match read? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    /// Whether a message can be had within `patience`; false: nothing came.
    pub fn hears_within(&mut self, patience: Duration) -> io::Result<bool> {
        if Message::split(&self.input[self.taken..]).is_some() {
            return Ok(true);
        }
        self.stream.set_read_timeout(Some(patience))?;
        let filled = self.fill();
        self.stream.set_read_timeout(Some(PATIENCE))?;
        match filled {
            Ok(()) => Ok(true),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Everything up to the next ReadyForQuery.
    pub fn answer(&mut self) -> io::Result<Answer> {
        let mut answer = Answer::default();
        loop {
            let message = self.receive()?;
            if message.tag == b'E' && Notice::read(&message.body).severity == "FATAL" {
                return Err(Notice::read(&message.body).into());
            }
            if answer.take(message) {
                return Ok(answer);
            }
        }
    }

    /// A simple query and its whole answer.
    pub fn query(&mut self, sql: &str) -> io::Result<Answer> {
        self.send(&frames::query(sql))?;
        self.answer()
    }

    /// An unnamed extended query with text parameters.
    pub fn ask(&mut self, sql: &str, parameters: &[&str]) -> io::Result<Answer> {
        let execute = [frames::execute("", 0), frames::sync()].concat();
        self.send(&[frames::parse("", sql), frames::bind("", "", parameters), frames::describe_portal(""), execute].concat())?;
        self.answer()
    }

    /// Asks the server, over a connection of its own, to cancel what this one does; returns when that was heard.
    pub fn cancel(&self) -> io::Result<()> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.write_all(&frames::cancel(self.process, &self.secret))?;
        // the server closes when it has passed it on
        let _ = stream.read(&mut [0; 1]);
        Ok(())
    }

    /// Says goodbye.
    pub fn terminate(mut self) {
        let _ = self.send(&frames::message(b'X', b""));
    }

    /// Goes without a word, in the middle of whatever it is.
    pub fn vanish(self) {
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

fn unexpected(what: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, format!("unexpected: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Postgres;

    #[test]
    fn it_logs_in_asks_both_ways_hears_errors_and_cancels() {
        let server = Postgres::start();
        let login = Login::new("app", "app").with("application_name", "wire");
        let mut wire = Wire::connect(&server.address(), &login).unwrap();
        assert_eq!(wire.parameters["application_name"], "wire");
        let answer = wire.query("SELECT 1, NULL; SELECT 'b'").unwrap();
        assert_eq!(answer.rows, [vec![Some("1".into()), None], vec![Some("b".into())]]);
        assert_eq!((answer.tags.len(), answer.status), (2, b'I'));
        assert_eq!(wire.ask("SELECT $1::int + 1", &["41"]).unwrap().value(), "42");
        assert_eq!(wire.query("SELECT 1/0").unwrap().errors[0].code, "22012");
        let mut other = Wire::connect(&server.address(), &login).unwrap();
        other.send(&frames::query("SELECT pg_sleep(600)")).unwrap();
        crate::until("it sleeps", || server.psql("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") == "1");
        assert!(!other.hears_within(Duration::from_millis(1)).unwrap());
        other.cancel().unwrap();
        assert_eq!(other.answer().unwrap().errors[0].code, "57014");
        let wrong = Login { password: "wrong".into(), ..login };
        assert!(Wire::connect(&server.address(), &wrong).err().unwrap().to_string().starts_with("28P01"));
        other.vanish();
        wire.terminate();
    }
}
