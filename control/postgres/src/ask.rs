//! A few questions to the server, as its superuser over the socket: the simple query protocol and nothing more.

use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::time::timeout;

/// The superuser, whom only Plimsoll's and the server's own user can be.
pub(crate) const SUPERUSER: &str = "plimsoll";
/// No answer of ours is longer.
const LONGEST: usize = 16 << 20;
const PATIENCE: Duration = Duration::from_secs(60);

/// A connection.
#[derive(Debug)]
pub(crate) struct Asker(UnixStream);

/// A row of text.
pub(crate) type Row = Vec<Option<String>>;

impl Asker {
    /// Connects to a database.
    pub(crate) async fn connect(socket: &Path, database: &str) -> Result<Asker, String> {
        let connecting = async {
            let mut asker = Asker(UnixStream::connect(socket).await.map_err(|error| format!("{}: {error}", socket.display()))?);
            asker.send(&startup(database)).await?;
            asker.answer().await?;
            Ok(asker)
        };
        timeout(PATIENCE, connecting).await.map_err(|_| "the server lets nobody in".to_string())?
    }

    /// Runs statements; the rows of all.
    pub(crate) async fn ask(&mut self, sql: &str) -> Result<Vec<Row>, String> {
        let asking = async {
            self.send(&message(b'Q', &[sql.as_bytes(), b"\0"].concat())).await?;
            self.answer().await
        };
        timeout(PATIENCE, asking).await.map_err(|_| "the server does not answer".to_string())?
    }

    async fn send(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.0.write_all(bytes).await.map_err(|error| error.to_string())
    }

    /// Everything up to ReadyForQuery.
    async fn answer(&mut self) -> Result<Vec<Row>, String> {
        let (mut rows, mut failed) = (Vec::new(), None);
        loop {
            let (kind, body) = self.message().await.map_err(|error| failed.take().unwrap_or_else(|| error.to_string()))?;
            match kind {
                b'Z' => return failed.map_or(Ok(rows), Err),
                b'D' => rows.push(row(&body).ok_or("a row that cannot be read")?),
                b'E' => failed = Some(error(&body)),
                b'R' if body[..] != [0; 4] => return Err("the server asks Plimsoll's own user for a password".into()),
                _ => {}
            }
        }
    }

    async fn message(&mut self) -> std::io::Result<(u8, Vec<u8>)> {
        let kind = self.0.read_u8().await?;
        let length = self.0.read_u32().await? as usize;
        if !(4..LONGEST).contains(&length) {
            return Err(std::io::ErrorKind::InvalidData.into());
        }
        let mut body = vec![0; length - 4];
        self.0.read_exact(&mut body).await?;
        Ok((kind, body))
    }
}

/// A name within a statement.
pub(crate) fn name(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// A text within a statement.
pub(crate) fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn startup(database: &str) -> Vec<u8> {
    let words = format!("user\0{SUPERUSER}\0database\0{database}\0application_name\0plimsoll\0client_encoding\0UTF8\0\0");
    let length = (8 + words.len()) as u32;
    [&length.to_be_bytes()[..], &196_608_u32.to_be_bytes(), words.as_bytes()].concat()
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind][..], &(4 + body.len() as u32).to_be_bytes(), body].concat()
}

fn row(body: &[u8]) -> Option<Row> {
    let (count, mut rest) = body.split_first_chunk::<2>()?;
    let mut row = Vec::new();
    for _ in 0..u16::from_be_bytes(*count) {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let Ok(length) = usize::try_from(i32::from_be_bytes(*length)) else {
            row.push(None);
            rest = after;
            continue;
        };
        row.push(Some(String::from_utf8_lossy(after.get(..length)?).into_owned()));
        rest = &after[length..];
    }
    Some(row)
}

/// The message of an ErrorResponse.
fn error(body: &[u8]) -> String {
    let fields = body.split(|byte| *byte == 0).filter(|field| field.first() == Some(&b'M'));
    fields.map(|field| String::from_utf8_lossy(&field[1..]).into_owned()).next().unwrap_or_else(|| "an error without a text".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_errors_are_read() {
        let body = [&2_u16.to_be_bytes()[..], &2_i32.to_be_bytes(), b"hi", &(-1_i32).to_be_bytes()].concat();
        assert_eq!(row(&body), Some(vec![Some("hi".into()), None]));
        assert_eq!(row(&body[..5]), None);
        assert_eq!(error(b"SFATAL\0C28000\0Mno such role\0\0"), "no such role");
    }

    #[test]
    fn names_and_texts_are_quoted() {
        assert_eq!((name("a\"b").as_str(), text("it's").as_str()), ("\"a\"\"b\"", "'it''s'"));
    }
}
