//! The access log: one JSON line for a request, gathered on the loop and handed over in pieces.

use std::cell::{Cell, RefCell};
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use telemetry::{Log, rfc3339};

use crate::plan::AccessLog;
use crate::visit::Facts;

/// Bytes gathered before they are handed over at once.
const PIECE: usize = 32 << 10;

/// How long a line waits at most.
pub(crate) const WAIT: Duration = Duration::from_millis(200);

/// One request of so many is told of when sampling.
const SAMPLE: u32 = 100;

/// One loop's lines.
#[derive(Debug)]
pub(crate) struct AccessLines {
    log: Log,
    stream: Arc<str>,
    lines: RefCell<Vec<u8>>,
    seen: Cell<u32>,
}

/// What is told beside the request's own facts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Told<'a> {
    pub(crate) status: u16,
    pub(crate) bytes: u64,
    pub(crate) took: Duration,
    pub(crate) app: &'a str,
}

impl AccessLines {
    pub(crate) fn new(log: Log) -> AccessLines {
        AccessLines { log, stream: Arc::from("access"), lines: RefCell::default(), seen: Cell::new(0) }
    }

    /// Notes a request if `mode` wants it.
    pub(crate) fn note(&self, mode: AccessLog, facts: &Facts, told: &Told<'_>) {
        let wanted = match mode {
            AccessLog::Off => false,
            AccessLog::Full => true,
            AccessLog::Sampled => {
                self.seen.set(self.seen.get().wrapping_add(1));
                told.status >= 500 || self.seen.get() % SAMPLE == 1
            }
        };
        if wanted {
            let mut lines = self.lines.borrow_mut();
            write_line(&mut lines, SystemTime::now(), facts, told);
            if lines.len() >= PIECE {
                self.log.raw(&self.stream, std::mem::take(&mut lines));
            }
        }
    }

    /// Hands over what was gathered.
    pub(crate) fn flush(&self) {
        let mut lines = self.lines.borrow_mut();
        if !lines.is_empty() {
            self.log.raw(&self.stream, std::mem::take(&mut lines));
        }
    }
}

fn write_line(out: &mut Vec<u8>, now: SystemTime, facts: &Facts, told: &Told<'_>) {
    out.extend_from_slice(b"{\"time\":\"");
    out.extend_from_slice(&rfc3339(now));
    out.push(b'"');
    let endpoint = facts.endpoint.as_deref().unwrap_or("");
    for (name, value) in [
        ("client", &*facts.client),
        ("method", &facts.method_text),
        ("host", &facts.host),
        ("path", &facts.path),
        ("app", told.app.as_bytes()),
        ("endpoint", endpoint.as_bytes()),
        ("request_id", &facts.request_id),
        ("trace", &facts.trace),
    ] {
        // Writing to a vector cannot fail.
        let _ = write!(out, ",\"{name}\":\"");
        escape(out, value);
        out.push(b'"');
    }
    let _ = writeln!(out, ",\"status\":{},\"bytes\":{},\"duration\":{:.6}}}", told.status, told.bytes, told.took.as_secs_f64());
}

/// JSON text of bytes that may be anything: what is not UTF-8 becomes U+FFFD.
fn escape(out: &mut Vec<u8>, value: &[u8]) {
    for letter in String::from_utf8_lossy(value).chars() {
        match letter {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            letter if (letter as u32) < 0x20 || letter as u32 == 0x7f => {
                let _ = write!(out, "\\u{:04x}", letter as u32);
            }
            letter => {
                let mut space = [0; 4];
                out.extend_from_slice(letter.encode_utf8(&mut space).as_bytes());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_json_whatever_the_client_sent() {
        let facts = Facts { path: b"/\"\\\n\xff".to_vec(), method_text: b"GET".to_vec(), ..Facts::default() };
        let mut out = Vec::new();
        let told = Told { status: 200, bytes: 5, took: Duration::from_millis(2), app: "shop" };
        write_line(&mut out, SystemTime::UNIX_EPOCH + Duration::from_millis(1_500), &facts, &told);
        let text = String::from_utf8(out).unwrap();
        assert!(text.starts_with("{\"time\":\"1970-01-01T00:00:01.500Z\","), "{text}");
        assert!(text.contains("\"path\":\"/\\\"\\\\\\u000a\u{fffd}\""), "{text}");
        assert!(text.ends_with("\"status\":200,\"bytes\":5,\"duration\":0.002000}\n"), "{text}");
    }
}
