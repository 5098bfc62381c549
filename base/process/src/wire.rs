//! What server and keeper tell each other: frames of a length (u32, little endian) and that many bytes.
//!
//! The two are one build of one binary, so the form is free to change with it; a broken frame is a bug and an error.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use crate::command::{Command, Exit, User};

/// No frame is larger: an environment and arguments fit (Linux allows 2 MiB together).
const LARGEST: usize = 8 << 20;

/// Server to keeper.
#[derive(Debug, PartialEq)]
pub(crate) enum Request {
    /// Start it; two descriptors come along, its stdout and stderr.
    Spawn { id: u64, command: Command },
    /// Signal its whole group.
    Signal { id: u64, signal: i32 },
}

/// Keeper to server.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Event {
    Spawned {
        id: u64,
        pid: u32,
    },
    Failed {
        id: u64,
        errno: i32,
    },
    Exited {
        id: u64,
        exit: Exit,
    },
    /// Its whole group has ended.
    Gone {
        id: u64,
    },
    Stop,
    Reload,
}

impl Request {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new();
        match self {
            Request::Spawn { id, command } => {
                out.number(1).number(*id).bytes(command.program.as_bytes()).number(command.arguments.len() as u64);
                for argument in &command.arguments {
                    out.bytes(argument.as_bytes());
                }
                out.number(command.env.len() as u64);
                for (name, value) in &command.env {
                    out.bytes(name.as_bytes()).bytes(value.as_bytes());
                }
                out.bytes(command.dir.as_os_str().as_bytes());
                match command.user {
                    None => out.number(0),
                    Some(user) => out.number(1).number(user.uid.into()).number(user.gid.into()),
                };
            }
            Request::Signal { id, signal } => {
                out.number(2).number(*id).number(*signal as u64);
            }
        }
        out.finish()
    }

    fn decode(frame: &[u8]) -> io::Result<Request> {
        let mut frame = Reader(frame);
        match frame.number()? {
            1 => Ok(Request::Spawn { id: frame.number()?, command: frame.command()? }),
            2 => Ok(Request::Signal { id: frame.number()?, signal: frame.number()? as i32 }),
            _ => Err(broken()),
        }
    }
}

impl Event {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new();
        match self {
            Event::Spawned { id, pid } => out.number(1).number(*id).number((*pid).into()),
            Event::Failed { id, errno } => out.number(2).number(*id).number(*errno as u64),
            Event::Exited { id, exit: Exit::Status(status) } => out.number(3).number(*id).number(*status as u64),
            Event::Exited { id, exit: Exit::Signal(signal) } => out.number(4).number(*id).number(*signal as u64),
            Event::Gone { id } => out.number(5).number(*id),
            Event::Stop => out.number(6),
            Event::Reload => out.number(7),
        };
        out.finish()
    }

    fn decode(frame: &[u8]) -> io::Result<Event> {
        let mut frame = Reader(frame);
        Ok(match frame.number()? {
            1 => Event::Spawned { id: frame.number()?, pid: frame.number()? as u32 },
            2 => Event::Failed { id: frame.number()?, errno: frame.number()? as i32 },
            3 => Event::Exited { id: frame.number()?, exit: Exit::Status(frame.number()? as i32) },
            4 => Event::Exited { id: frame.number()?, exit: Exit::Signal(frame.number()? as i32) },
            5 => Event::Gone { id: frame.number()? },
            6 => Event::Stop,
            7 => Event::Reload,
            _ => return Err(broken()),
        })
    }
}

/// Bytes received, until they make a frame.
#[derive(Debug, Default)]
pub(crate) struct Inbox(Vec<u8>);

impl Inbox {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// The next whole request, if there is one.
    pub(crate) fn request(&mut self) -> io::Result<Option<Request>> {
        self.frame()?.map(|frame| Request::decode(&frame)).transpose()
    }

    /// The next whole event, if there is one.
    pub(crate) fn event(&mut self) -> io::Result<Option<Event>> {
        self.frame()?.map(|frame| Event::decode(&frame)).transpose()
    }

    fn frame(&mut self) -> io::Result<Option<Vec<u8>>> {
        let Some(length) = self.0.first_chunk::<4>() else { return Ok(None) };
        let length = u32::from_le_bytes(*length) as usize;
        if length > LARGEST {
            return Err(broken());
        }
        if self.0.len() < 4 + length {
            return Ok(None);
        }
        let rest = self.0.split_off(4 + length);
        let mut frame = std::mem::replace(&mut self.0, rest);
        frame.drain(..4);
        Ok(Some(frame))
    }
}

struct Writer(Vec<u8>);

impl Writer {
    fn new() -> Writer {
        Writer(vec![0; 4])
    }

    fn number(&mut self, number: u64) -> &mut Writer {
        self.0.extend_from_slice(&number.to_le_bytes());
        self
    }

    fn bytes(&mut self, bytes: &[u8]) -> &mut Writer {
        self.number(bytes.len() as u64).0.extend_from_slice(bytes);
        self
    }

    fn finish(mut self) -> Vec<u8> {
        let length = u32::try_from(self.0.len() - 4).unwrap_or(u32::MAX);
        self.0[..4].copy_from_slice(&length.to_le_bytes());
        self.0
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn number(&mut self) -> io::Result<u64> {
        let (number, rest) = self.0.split_first_chunk::<8>().ok_or_else(broken)?;
        self.0 = rest;
        Ok(u64::from_le_bytes(*number))
    }

    fn text(&mut self) -> io::Result<OsString> {
        let length = self.number()? as usize;
        let (text, rest) = self.0.split_at_checked(length).ok_or_else(broken)?;
        self.0 = rest;
        Ok(OsString::from_vec(text.to_vec()))
    }

    fn command(&mut self) -> io::Result<Command> {
        Ok(Command {
            program: self.text()?,
            arguments: (0..self.number()?).map(|_| self.text()).collect::<io::Result<_>>()?,
            env: (0..self.number()?).map(|_| Ok((self.text()?, self.text()?))).collect::<io::Result<_>>()?,
            dir: self.text()?.into(),
            user: match self.number()? {
                0 => None,
                _ => Some(User { uid: self.number()? as u32, gid: self.number()? as u32 }),
            },
        })
    }
}

fn broken() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a broken frame between keeper and server")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command() -> Command {
        Command {
            program: "node".into(),
            arguments: vec!["server.js".into(), OsString::from_vec(vec![0xff, b'x'])],
            env: vec![("PORT".into(), "20000".into()), ("EMPTY".into(), "".into())],
            dir: "/srv/shop".into(),
            user: Some(User { uid: 1000, gid: 100 }),
        }
    }

    #[test]
    fn requests_survive_any_split() {
        let spawn = Request::Spawn { id: 7, command: command() };
        let signal = Request::Signal { id: 7, signal: 15 };
        let bytes = [spawn.encode(), signal.encode()].concat();
        for at in 0..bytes.len() {
            let mut inbox = Inbox::default();
            let mut seen = Vec::new();
            for part in [&bytes[..at], &bytes[at..]] {
                inbox.push(part);
                while let Some(request) = inbox.request().unwrap() {
                    seen.push(request);
                }
            }
            assert_eq!(seen, [Request::Spawn { id: 7, command: command() }, Request::Signal { id: 7, signal: 15 }]);
        }
    }

    #[test]
    fn events_come_back() {
        let events = [
            Event::Spawned { id: 1, pid: 42 },
            Event::Failed { id: 1, errno: 2 },
            Event::Exited { id: 1, exit: Exit::Status(3) },
            Event::Exited { id: 1, exit: Exit::Signal(9) },
            Event::Gone { id: 1 },
            Event::Stop,
            Event::Reload,
        ];
        let mut inbox = Inbox::default();
        for event in &events {
            inbox.push(&event.encode());
            assert_eq!(inbox.event().unwrap().as_ref(), Some(event));
        }
        assert_eq!(inbox.event().unwrap(), None);
    }

    #[test]
    fn broken_frames_are_errors() {
        let mut inbox = Inbox::default();
        inbox.push(&[1, 0, 0, 0, 9]);
        assert!(inbox.request().is_err());
        inbox.push(&[255, 255, 255, 255]);
        assert!(inbox.request().is_err());
    }
}
