//! A connection of the light load: commands that are written beforehand and only their numbers again, one write and one read each
//! batch.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Instant;

use super::command::{Command, Taken};
use crate::load::{Client, Step};
use crate::random::Random;

/// What a load asks for.
#[derive(Debug, Clone)]
pub struct Script {
    /// Each with its weight: how often it is chosen among all.
    pub commands: Arc<[(u64, Command)]>,
    /// Commands of one kind that are sent at once.
    pub batch: usize,
}

/// A connection and the batch that is under way.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    script: Script,
    /// One for each kind of command: a batch of it.
    batches: Vec<Vec<u8>>,
    random: Random,
    busy: Option<Instant>,
    /// The kind at hand.
    kind: usize,
    sent: usize,
    /// Answers that must still come.
    awaited: usize,
    /// Of an answer that has come in part.
    rest: Vec<u8>,
}

impl Script {
    /// Nothing but `command`.
    pub fn of(command: Command, batch: usize) -> Script {
        Script { commands: [(1, command)].into(), batch }
    }

    /// The kind that `number`, below the sum of weights, falls on.
    fn choose(&self, mut number: u64) -> usize {
        let falls = |(weight, _): &(u64, Command)| match number.checked_sub(*weight) {
            Some(less) => {
                number = less;
                false
            }
            None => true,
        };
        self.commands.iter().position(falls).unwrap_or(0)
    }

    fn weights(&self) -> u64 {
        self.commands.iter().map(|(weight, _)| weight).sum()
    }
}

impl Client for Connection {
    type Exchange = Script;
    // A pool of connections has an end; who finds all of them busy waits.
    const GROWTH: usize = 1;

    fn open(address: SocketAddr, script: &Script, number: usize) -> std::io::Result<Connection> {
        let stream = TcpStream::connect(address)?;
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        Ok(Connection {
            stream,
            script: script.clone(),
            batches: script.commands.iter().map(|(_, command)| command.bytes.repeat(script.batch)).collect(),
            random: Random::seeded(number as u64),
            busy: None,
            kind: 0,
            sent: 0,
            awaited: 0,
            rest: Vec::new(),
        })
    }

    fn stream(&self) -> &TcpStream {
        &self.stream
    }

    fn requests(&self) -> u64 {
        self.script.batch as u64
    }

    fn begin(&mut self, intended: Instant) -> Step {
        self.busy = Some(intended);
        if self.batches.len() > 1 {
            self.kind = self.script.choose(self.random.below(self.script.weights()));
        }
        let command = &self.script.commands[self.kind].1;
        let each = self.batches[self.kind].chunks_exact_mut(command.bytes.len());
        each.for_each(|bytes| command.vary(bytes, &mut self.random));
        self.sent = 0;
        self.awaited = self.script.batch;
        self.write()
    }

    fn write(&mut self) -> Step {
        let batch = &self.batches[self.kind];
        while self.sent < batch.len() {
            match self.stream.write(&batch[self.sent..]) {
                Ok(sent) => self.sent += sent,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Step::Blocked,
                Err(error) => return Step::Failed(format!("write: {}", error.kind())),
            }
        }
        Step::Waiting
    }

    fn read(&mut self, space: &mut [u8]) -> Step {
        match self.stream.read(space) {
            Ok(0) => Step::Failed("closed".into()),
            Ok(read) if self.rest.is_empty() => self.take(&space[..read]),
            Ok(read) => {
                let mut rest = std::mem::take(&mut self.rest);
                rest.extend_from_slice(&space[..read]);
                self.take(&rest)
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Step::Waiting,
            Err(error) => Step::Failed(format!("read: {}", error.kind())),
        }
    }

    fn end(&mut self) -> Option<Instant> {
        self.busy.take()
    }
}

impl Connection {
    /// Takes the answers that have come; what is no whole one is kept.
    fn take(&mut self, mut bytes: &[u8]) -> Step {
        let answer = &self.script.commands[self.kind].1.answer;
        while self.awaited > 0 {
            match answer.take(bytes) {
                Taken::Whole(length) => {
                    bytes = &bytes[length..];
                    self.awaited -= 1;
                }
                Taken::Part => {
                    self.rest = bytes.to_vec();
                    return Step::Waiting;
                }
                Taken::Wrong => return Step::Failed(format!("a wrong answer: {}", bytes[..bytes.len().min(60)].escape_ascii())),
            }
        }
        if bytes.is_empty() { Step::Done { closes: false } } else { Step::Failed("bytes that nobody asked for".into()) }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::super::command::{Answer, Word, one_of};
    use super::*;

    #[test]
    fn kinds_are_chosen_by_weight() {
        let command = Command::plain(&[Word::Text("x")], Answer::Number);
        let script = Script { commands: [(3, command.clone()), (1, command.clone()), (2, command)].into(), batch: 1 };
        assert_eq!((0..script.weights()).map(|number| script.choose(number)).collect::<Vec<_>>(), [0, 0, 0, 1, 2, 2]);
    }

    /// Answers each line of what comes with the bytes that `answer` makes, in two parts, to one client.
    fn echo(answer: impl Fn(usize) -> Vec<u8> + Send + 'static) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let mut stream = listener.accept().unwrap().0;
            let mut space = [0; 4096];
            while let Ok(read @ 1..) = stream.read(&mut space) {
                let answers = answer(memchr::memchr_iter(b'\n', &space[..read]).count());
                let (one, other) = answers.split_at(answers.len() / 2 + 1);
                if stream.write_all(one).and_then(|()| stream.write_all(other)).is_err() {
                    return;
                }
            }
        });
        address
    }

    /// Two exchanges with who listens there.
    fn steps(address: SocketAddr, batch: usize) -> [Step; 2] {
        let words = [Word::Text("incr "), one_of("key:", 100), Word::Text("\r\n")];
        let script = Script::of(Command::plain(&words, Answer::Number), batch);
        let mut connection = Connection::open(address, &script, 0).unwrap();
        connection.stream().set_nonblocking(false).unwrap();
        [0; 2].map(|_| {
            let mut step = connection.begin(Instant::now());
            while step == Step::Waiting {
                step = connection.read(&mut [0; 4096]);
            }
            step
        })
    }

    #[test]
    fn an_exchange_is_over_with_its_last_answer_and_a_wrong_one_fails() {
        let done = || Step::Done { closes: false };
        assert_eq!(steps(echo(|count| b":17\r\n".repeat(count)), 16), [done(), done()]);
        let wrong = steps(echo(|_| b"-ERR no\r\n".to_vec()), 1);
        assert!(matches!(&wrong[0], Step::Failed(what) if what.contains("-ERR")), "{wrong:?}");
        let more = steps(echo(|count| b":1\r\n".repeat(count + 1)), 1);
        assert!(more.contains(&Step::Failed("bytes that nobody asked for".into())), "{more:?}");
    }
}
