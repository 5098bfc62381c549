//! What went wrong, as a client sees it: severity, SQLSTATE, message, detail and hint, in Postgres's own words where it
//! has words for it. What a server said is passed on as it came.

use std::borrow::Cow;
use std::fmt;

use crate::frame;
use crate::server::ConnectError;

/// SQLSTATEs that the door says itself (Postgres, appendix A).
pub(crate) mod code {
    pub(crate) const CONNECTION_FAILURE: &str = "08006";
    pub(crate) const PROTOCOL_VIOLATION: &str = "08P01";
    pub(crate) const FEATURE_NOT_SUPPORTED: &str = "0A000";
    pub(crate) const INVALID_PARAMETER_VALUE: &str = "22023";
    pub(crate) const CHARACTER_NOT_IN_REPERTOIRE: &str = "22021";
    pub(crate) const INVALID_AUTHORIZATION: &str = "28000";
    pub(crate) const INVALID_PASSWORD: &str = "28P01";
    pub(crate) const SYNTAX_ERROR: &str = "42601";
    pub(crate) const TOO_MANY_CONNECTIONS: &str = "53300";
    pub(crate) const PROGRAM_LIMIT_EXCEEDED: &str = "54000";
    pub(crate) const QUERY_CANCELED: &str = "57014";
    pub(crate) const IDLE_IN_TRANSACTION_TIMEOUT: &str = "25P03";
    pub(crate) const TRANSACTION_TIMEOUT: &str = "25P04";
    pub(crate) const ADMIN_SHUTDOWN: &str = "57P01";
    pub(crate) const CANNOT_CONNECT_NOW: &str = "57P03";
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Severity {
    /// The connection ends.
    Fatal,
    /// The statement failed.
    Error,
    /// Told only.
    Warning,
}

/// One fault of the door's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Five characters, see [`code`].
    pub(crate) code: &'static str,
    pub(crate) message: Cow<'static, str>,
    pub(crate) detail: Option<Cow<'static, str>>,
    /// What to do.
    pub(crate) hint: Option<Cow<'static, str>>,
}

impl Fault {
    /// A fault with neither detail nor hint.
    pub(crate) fn new(code: &'static str, message: impl Into<Cow<'static, str>>) -> Fault {
        Fault { code, message: message.into(), detail: None, hint: None }
    }

    /// The same with a detail.
    pub(crate) fn detail(self, detail: impl Into<Cow<'static, str>>) -> Fault {
        Fault { detail: Some(detail.into()), ..self }
    }

    /// The same with a hint.
    pub(crate) fn hint(self, hint: impl Into<Cow<'static, str>>) -> Fault {
        Fault { hint: Some(hint.into()), ..self }
    }

    /// What the client sent is not the protocol.
    pub(crate) fn protocol(message: impl Into<Cow<'static, str>>) -> Fault {
        Fault::new(code::PROTOCOL_VIOLATION, message)
    }

    /// One client listens on too much.
    pub(crate) fn too_many_channels() -> Fault {
        let most = crate::listening::MOST_CHANNELS;
        Fault::new(code::PROGRAM_LIMIT_EXCEEDED, "this client listens on too many channels")
            .hint(format!("{most} is the bound. Listen on fewer, and say in the payload what a notification is about."))
    }

    /// The door holds as many clients as it may.
    pub(crate) fn too_many_clients() -> Fault {
        Fault::new(code::TOO_MANY_CONNECTIONS, "sorry, too many clients already")
            .detail("Plimsoll holds as many clients as it may (pool.client); the server was not asked.")
            .hint("Close connections that nobody uses, or raise pool.client.")
    }

    /// The door takes nobody any more.
    pub(crate) fn shutting_down() -> Fault {
        Fault::new(code::CANNOT_CONNECT_NOW, "the database system is shutting down")
    }

    /// The door ends this connection.
    pub(crate) fn terminated() -> Fault {
        Fault::new(code::ADMIN_SHUTDOWN, "terminating connection due to administrator command")
    }

    /// The client asked for it.
    pub(crate) fn canceled() -> Fault {
        Fault::new(code::QUERY_CANCELED, "canceling statement due to user request")
    }

    /// Wrong password or unknown user: which of them is not told.
    pub(crate) fn wrong_password(user: &str) -> Fault {
        Fault::new(code::INVALID_PASSWORD, format!("password authentication failed for user \"{user}\""))
    }

    /// No server to be had.
    pub(crate) fn unreachable(reason: &str) -> Fault {
        Fault::new(code::CANNOT_CONNECT_NOW, format!("the database server cannot be reached: {reason}"))
            .hint("Nothing was sent to it; the statement may be tried again.")
    }

    /// No server to be had until somebody has put right what the reason says.
    pub(crate) fn unable(reason: &str) -> Fault {
        Fault::new(code::CANNOT_CONNECT_NOW, format!("the database server cannot run: {reason}"))
    }

    /// Appends it as an `ErrorResponse`, as a `NoticeResponse` when it is only told.
    pub(crate) fn write(&self, out: &mut Vec<u8>, severity: Severity) {
        let tag = if severity == Severity::Warning { b'N' } else { b'E' };
        frame::message(out, tag, |out| {
            let mut field = |name: u8, value: &str| {
                out.push(name);
                frame::text(out, value.as_bytes());
            };
            field(b'S', severity.name());
            field(b'V', severity.name());
            field(b'C', self.code);
            field(b'M', &self.message);
            if let Some(detail) = &self.detail {
                field(b'D', detail);
            }
            if let Some(hint) = &self.hint {
                field(b'H', hint);
            }
            out.push(0);
        });
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} ({})", self.message, self.code)
    }
}

impl Severity {
    fn name(self) -> &'static str {
        match self {
            Severity::Fatal => "FATAL",
            Severity::Error => "ERROR",
            Severity::Warning => "WARNING",
        }
    }
}

/// A server's `ErrorResponse`: the whole message, tag and length included.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ErrorResponse(Box<[u8]>);

impl ErrorResponse {
    /// From the body of the message.
    pub(crate) fn new(body: &[u8]) -> ErrorResponse {
        let mut bytes = Vec::with_capacity(frame::HEADER + body.len());
        frame::message(&mut bytes, b'E', |out| out.extend_from_slice(body));
        ErrorResponse(bytes.into())
    }

    /// As it came, to be passed on.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The field `name`, empty when there is none.
    pub(crate) fn field(&self, name: u8) -> Cow<'_, str> {
        let of_name = fields(&self.0[frame::HEADER..]).find(|field| field.0 == name);
        String::from_utf8_lossy(of_name.map_or(b"", |field| field.1))
    }

    /// Its SQLSTATE.
    pub(crate) fn code(&self) -> Cow<'_, str> {
        self.field(b'C')
    }

    /// What it says in one line.
    pub(crate) fn message(&self) -> Cow<'_, str> {
        self.field(b'M')
    }

    /// Appends it with another severity: an error of a statement of ours can be fatal to a client.
    pub(crate) fn write(&self, out: &mut Vec<u8>, severity: Severity) {
        frame::message(out, b'E', |out| {
            for (name, value) in fields(&self.0[frame::HEADER..]) {
                out.push(name);
                frame::text(out, if matches!(name, b'S' | b'V') { severity.name().as_bytes() } else { value });
            }
            out.push(0);
        });
    }
}

/// The fields in the body of an `ErrorResponse`: name and value.
pub(crate) fn fields(mut body: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let (&name, rest) = body.split_first().filter(|field| *field.0 != 0)?;
        let (value, rest) = frame::split_text(rest)?;
        body = rest;
        Some((name, value))
    })
}

impl fmt::Debug for ErrorResponse {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} ({})", self.message(), self.code())
    }
}

impl ConnectError {
    /// Appends what the client sees whose statement needed the connection.
    pub(crate) fn write(&self, out: &mut Vec<u8>, severity: Severity) {
        match self {
            ConnectError::Verdict(said) => said.write(out, severity),
            ConnectError::Unreachable(reason) => Fault::unreachable(reason).write(out, severity),
            ConnectError::OutOfDescriptors(error) => {
                let fault =
                    Fault::new(code::TOO_MANY_CONNECTIONS, format!("no descriptor is left for a connection to the server: {error}"));
                fault.hint("Raise the limit of open files (ulimit -n) of Plimsoll.").write(out, severity);
            }
            ConnectError::Unfit(reason) => {
                let fault = Fault::new(code::CONNECTION_FAILURE, format!("the database server cannot be used: {reason}"));
                fault.write(out, severity);
            }
        }
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConnectError::Verdict(said) => out.write_str(&said.message()),
            ConnectError::Unreachable(reason) | ConnectError::Unfit(reason) => out.write_str(reason),
            ConnectError::OutOfDescriptors(error) => error.fmt(out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_written_field_by_field() {
        let mut out = Vec::new();
        Fault::new(code::SYNTAX_ERROR, "no").detail("d").hint("h").write(&mut out, Severity::Fatal);
        assert_eq!(out, b"E\0\0\0\x24SFATAL\0VFATAL\0C42601\0Mno\0Dd\0Hh\0\0");
        out.clear();
        Fault::canceled().write(&mut out, Severity::Warning);
        assert!(out.starts_with(b"N"));
    }

    #[test]
    fn what_a_server_said_is_read_and_passed_on() {
        let body = b"SERROR\0VERROR\0C3D000\0Mno such\0\0";
        let said = ErrorResponse::new(body);
        assert_eq!((&*said.code(), &*said.message(), &*said.field(b'H')), ("3D000", "no such", ""));
        assert_eq!(&said.bytes()[5..], body);
        let mut out = Vec::new();
        said.write(&mut out, Severity::Fatal);
        assert_eq!(&out[5..], b"SFATAL\0VFATAL\0C3D000\0Mno such\0\0");
        assert_eq!(ErrorResponse::new(b"Cbroken").code(), "");
    }
}
