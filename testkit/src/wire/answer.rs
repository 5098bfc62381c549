//! What the server says.

use std::io;

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its kind.
    pub tag: u8,
    /// What follows the length.
    pub body: Vec<u8>,
}

impl Message {
    /// The first message of `bytes` and its length with head, once it is whole.
    pub(super) fn split(bytes: &[u8]) -> Option<(Message, usize)> {
        let head = bytes.get(..5)?;
        let length = 1 + u32::from_be_bytes(head[1..].try_into().expect("four of five bytes")) as usize;
        Some((Message { tag: head[0], body: bytes.get(5..length)?.to_vec() }, length))
    }

    /// The body as strings that end with 0.
    pub fn strings(&self) -> Vec<String> {
        let body = self.body.strip_suffix(&[0]).unwrap_or(&self.body);
        body.split(|byte| *byte == 0).map(|text| String::from_utf8_lossy(text).into_owned()).collect()
    }

    fn row(&self) -> Vec<Option<String>> {
        let mut rest = self.body.get(2..).unwrap_or_default();
        let mut row = Vec::new();
        while let Some((length, after)) = rest.split_first_chunk::<4>() {
            let length = i32::from_be_bytes(*length);
            let (value, after) = after.split_at(length.max(0) as usize);
            row.push((length >= 0).then(|| String::from_utf8_lossy(value).into_owned()));
            rest = after;
        }
        row
    }
}

/// An error or a notice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notice {
    /// `ERROR`, `FATAL`, `NOTICE`…, never translated.
    pub severity: String,
    /// The SQLSTATE.
    pub code: String,
    /// The primary message.
    pub text: String,
}

impl Notice {
    pub(super) fn read(body: &[u8]) -> Notice {
        let mut notice = Notice::default();
        for field in body.split(|byte| *byte == 0).filter(|field| !field.is_empty()) {
            let value = String::from_utf8_lossy(&field[1..]).into_owned();
            match field[0] {
                b'V' => notice.severity = value,
                b'C' => notice.code = value,
                b'M' => notice.text = value,
                _ => {}
            }
        }
        notice
    }
}

impl From<Notice> for io::Error {
    fn from(notice: Notice) -> io::Error {
        io::Error::other(format!("{} {}: {}", notice.code, notice.severity, notice.text))
    }
}

/// What came up to a ReadyForQuery.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Of all statements, in order.
    pub rows: Vec<Vec<Option<String>>>,
    /// The command tags.
    pub tags: Vec<String>,
    /// All of them, in order.
    pub errors: Vec<Notice>,
    /// Notices and warnings.
    pub notices: Vec<Notice>,
    /// Channel and payload.
    pub notifications: Vec<(String, String)>,
    /// Data of COPY, joined.
    pub copied: Vec<u8>,
    /// The tags of all messages, in order.
    pub order: String,
    /// `I`, `T` or `E`.
    pub status: u8,
}

impl Answer {
    /// Adds a message; true when it was the last.
    pub(super) fn take(&mut self, message: Message) -> bool {
        self.order.push(char::from(message.tag));
        match message.tag {
            b'D' => self.rows.push(message.row()),
            b'C' => self.tags.extend(message.strings()),
            b'E' => self.errors.push(Notice::read(&message.body)),
            b'N' => self.notices.push(Notice::read(&message.body)),
            b'd' => self.copied.extend(message.body),
            b'A' => {
                let text = Message { tag: b'A', body: message.body.get(4..).unwrap_or_default().to_vec() }.strings();
                self.notifications.push((text.first().cloned().unwrap_or_default(), text.get(1).cloned().unwrap_or_default()));
            }
            b'Z' => self.status = message.body.first().copied().unwrap_or_default(),
            _ => {}
        }
        message.tag == b'Z'
    }

    /// The only value of the only row; panics when the answer is another one.
    #[track_caller]
    pub fn value(&self) -> &str {
        match &self.rows[..] {
            [row] if self.errors.is_empty() && row.len() == 1 => row[0].as_deref().unwrap_or_default(),
            _ => panic!("not one value: {self:?}"),
        }
    }

    /// The SQLSTATE of the only error, if there is one.
    pub fn code(&self) -> Option<&str> {
        self.errors.first().map(|error| error.code.as_str())
    }

    /// Panics when there is an error.
    #[track_caller]
    pub fn fine(self) -> Answer {
        assert!(self.errors.is_empty(), "{self:?}");
        self
    }
}
