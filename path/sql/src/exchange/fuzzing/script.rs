//! Bytes as messages that a client might send: a few names, a few texts, any order.

use crate::frame;

const NAMES: [&str; 4] = ["", "a", "b", "d"];

const TEXTS: [&str; 24] = [
    "SELECT a FROM t WHERE id = 1",
    "SELECT 1; SELECT 2",
    "",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "SELECT fail",
    "broken",
    "COPY t FROM STDIN",
    "COPY t TO STDOUT",
    "DEALLOCATE a",
    "DEALLOCATE ALL",
    "DISCARD ALL",
    "EXECUTE a",
    "PREPARE c AS SELECT 1",
    "SELECT 1; SELECT fail; SELECT 2",
    "BEGIN; SELECT 1; COMMIT",
    "SAVEPOINT a",
    "INSERT INTO t VALUES (1)",
    "COPY t FROM STDIN; SELECT 1",
    "EXECUTE b",
    "SELECT 2",
    "EXECUTE c",
    "DEALLOCATE b",
];

/// Each two bytes are a message, of one of two clients.
pub(super) fn messages(bytes: &[u8]) -> [Vec<u8>; 2] {
    let mut out = [Vec::new(), Vec::new()];
    for pair in bytes.as_chunks::<2>().0 {
        message(&mut out[usize::from(pair[0] >> 7)], pair[0] & 127, pair[1]);
    }
    out
}

fn message(out: &mut Vec<u8>, what: u8, which: u8) {
    let which = usize::from(which);
    let (name, other, text) = (NAMES[which % 4], NAMES[which / 4 % 4], TEXTS[which / 4 % TEXTS.len()]);
    let named = |out: &mut Vec<u8>, kind: u8| {
        out.push(if which & 16 == 0 { kind } else { kind ^ b'S' ^ b'P' });
        frame::text(out, name.as_bytes());
    };
    let tag = b"QPBDCESHSEBPQdcfFEBPdSQX"[usize::from(what) % 24];
    frame::message(out, tag, |out| match tag {
        b'Q' => frame::text(out, text.as_bytes()),
        b'P' => {
            // which statement such a text means is decided when it is bound, here, and when it is executed, there
            let text = if text.starts_with("EXECUTE") || text.starts_with("DEALLOCATE ") { "SELECT 3" } else { text };
            frame::text(out, name.as_bytes());
            frame::text(out, text.as_bytes());
            out.extend_from_slice(&[0; 2]);
        }
        b'B' => {
            frame::text(out, other.as_bytes());
            frame::text(out, name.as_bytes());
            out.extend_from_slice(&[0; 6]);
        }
        b'D' => named(out, b'S'),
        b'C' => named(out, b'S'),
        b'E' => {
            frame::text(out, other.as_bytes());
            out.extend_from_slice(&[0; 4]);
        }
        b'd' | b'F' => out.extend_from_slice(text.as_bytes()),
        b'f' => frame::text(out, b"why"),
        _ => {}
    });
}
