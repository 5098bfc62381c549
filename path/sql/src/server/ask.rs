//! A question of the door's own to a server: one simple query on a connection that is at rest.

use std::io;

use super::connection::Connection;
use super::reader::{Message, Reader};
use crate::error::ErrorResponse;
use crate::frame::{self, LONGEST};

/// Most rows of an answer that are kept.
const ROWS: usize = 10_000;

/// Most bytes of an answer that are kept.
const BYTES: usize = 1024 * 1024;

/// Statement and portal of what is asked in a client's batch.
const WITHIN: &[u8] = b"plimsoll_within";

/// A row's values as text; `None` is NULL.
pub(crate) type Row = Vec<Option<Vec<u8>>>;

/// The rows of all statements of a question.
pub(crate) type Rows = Vec<Row>;

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum AskError {
    /// The connection is lost.
    Lost(io::Error),
    /// The server refused; the connection is well.
    Refused(ErrorResponse),
    /// More rows or bytes than are kept; the connection is well.
    TooMuch,
}

/// Asks `sql`, one or more statements, and leaves the connection at rest, unless it is lost. A client's unnamed statement
/// is gone then, as with every `Query`.
///
/// `told` gets each `NotificationResponse`, the whole message. Notices are skipped, `ParameterStatus` is noted in
/// `reported`. Dropped before it is done, it leaves a connection that nobody can use. There is no bound of time.
///
/// # Errors
/// See [`AskError`].
pub(crate) async fn ask(connection: &mut Connection, sql: &str, mut told: impl FnMut(&[u8])) -> Result<Rows, AskError> {
    let mut question = Vec::with_capacity(sql.len() + 8);
    frame::message(&mut question, b'Q', |out| frame::text(out, sql.as_bytes()));
    // Postgres forgets it with every `Query`.
    connection.prepared.forget_unnamed();
    connection.stream.write_all(&question).await?;
    let (mut reader, mut answer, mut is_done) = (Reader::default(), Answer::default(), false);
    while !is_done || reader.has_more() {
        let message = reader.next(&mut connection.stream, LONGEST).await?;
        match message.tag {
            b'A' => told(message.whole),
            b'S' => connection.reported.read(message.body),
            b'Z' => is_done = true,
            _ => answer.add(message)?,
        }
    }
    answer.end()
}

/// Does `sql`, one statement without rows, in a batch of the extended protocol that is open, nothing of which is outstanding.
///
/// # Errors
/// See [`AskError`]. After [`AskError::Refused`] the server waits for the end of the batch.
pub(crate) async fn ask_within(connection: &mut Connection, sql: &str) -> Result<(), AskError> {
    connection.stream.write_all(&batch(sql)).await?;
    let (mut reader, mut closed) = (Reader::default(), 0);
    while closed < 2 || reader.has_more() {
        let message = reader.next(&mut connection.stream, LONGEST).await?;
        match message.tag {
            b'S' => connection.reported.read(message.body),
            b'E' => return Err(AskError::Refused(ErrorResponse::new(message.body))),
            b'3' => closed += 1,
            _ => {}
        }
    }
    Ok(())
}

/// All of one statement, under a name that no client's reaches, up to a `Flush`.
fn batch(sql: &str) -> Vec<u8> {
    let mut out = Vec::new();
    frame::message(&mut out, b'P', |out| {
        [WITHIN, sql.as_bytes()].iter().for_each(|text| frame::text(out, text));
        out.extend_from_slice(&[0; 2]);
    });
    frame::message(&mut out, b'B', |out| {
        [WITHIN; 2].iter().for_each(|text| frame::text(out, text));
        out.extend_from_slice(&[0; 6]);
    });
    frame::message(&mut out, b'E', |out| {
        frame::text(out, WITHIN);
        out.extend_from_slice(&[0; 4]);
    });
    for kind in *b"PS" {
        frame::message(&mut out, b'C', |out| {
            out.push(kind);
            frame::text(out, WITHIN);
        });
    }
    frame::message(&mut out, b'H', |_| {});
    out
}

#[derive(Debug, Default)]
struct Answer {
    rows: Rows,
    bytes: usize,
    is_too_much: bool,
    refused: Option<ErrorResponse>,
}

impl Answer {
    fn add(&mut self, message: Message<'_>) -> io::Result<()> {
        match message.tag {
            b'D' if self.rows.len() >= ROWS || self.bytes + message.body.len() > BYTES => self.is_too_much = true,
            b'D' => {
                self.bytes += message.body.len();
                self.rows.push(row(message.body).ok_or(io::ErrorKind::InvalidData)?);
            }
            b'E' => self.refused = Some(ErrorResponse::new(message.body)),
            // What the door asks copies nothing: such an answer would wait for ever.
            b'G' | b'H' | b'W' => return Err(io::ErrorKind::InvalidData.into()),
            _ => {}
        }
        Ok(())
    }

    fn end(self) -> Result<Rows, AskError> {
        match self.refused {
            Some(refused) => Err(AskError::Refused(refused)),
            None if self.is_too_much => Err(AskError::TooMuch),
            None => Ok(self.rows),
        }
    }
}

/// The values of a `DataRow`.
fn row(body: &[u8]) -> Option<Row> {
    let (count, mut rest) = body.split_first_chunk()?;
    let mut row = Row::new();
    for _ in 0..u16::from_be_bytes(*count) {
        let (length, after) = rest.split_first_chunk()?;
        let length = i32::from_be_bytes(*length);
        let (value, after) = after.split_at_checked(length.max(0) as usize)?;
        row.push((length >= 0).then(|| value.to_vec()));
        rest = after;
    }
    Some(row)
}

impl From<io::Error> for AskError {
    fn from(error: io::Error) -> AskError {
        AskError::Lost(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_and_broken_ones_are_not() {
        let body = b"\0\x02\0\0\0\x01a\xff\xff\xff\xff";
        assert_eq!(row(body), Some(vec![Some(b"a".to_vec()), None]));
        for end in 0..body.len() {
            assert_eq!(row(&body[..end]), None);
        }
    }

    #[test]
    fn an_answer_is_bounded() {
        let mut answer = Answer::default();
        let body = [&b"\0\x01\0\x08\0\0"[..], &[b'x'; 512 * 1024]].concat();
        let message = Message { tag: b'D', body: &body, whole: &body };
        answer.add(message).unwrap();
        assert!(!answer.is_too_much);
        answer.add(message).unwrap();
        assert!(matches!(answer.end(), Err(AskError::TooMuch)));
    }
}
