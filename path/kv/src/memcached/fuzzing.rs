//! The promises of what reads clients of memcached, for any bytes.

use super::frame::{Frames, Step};

/// Whatever the pieces in which bytes come, the same is asked for, and all that came is read or waited for.
pub(crate) fn requests(bytes: &[u8]) {
    let Some((seed, bytes)) = bytes.split_first() else { return };
    let pieces = (0..).map(|at: u32| usize::from(seed.rotate_left(at) % 23) + 1);
    let whole = told(bytes, std::iter::once(bytes.len()));
    assert_eq!(told(bytes, pieces), whole);
}

/// What is asked for in bytes that come in pieces of these sizes, and whether the client was cut off.
pub(crate) fn told(bytes: &[u8], mut pieces: impl Iterator<Item = usize>) -> (Vec<String>, bool) {
    let (mut frames, mut buffer, mut coming, mut all, mut needed) = (Frames::default(), Vec::new(), bytes, Vec::new(), 0);
    loop {
        let step = frames.next(&buffer);
        assert!(needed == 0 || matches!(step, Step::Needs(_)), "fewer bytes came than were needed");
        let length = match step {
            Step::Cut => return (all, true),
            Step::Skip(count) => count,
            Step::Request(request, taken) => {
                all.push(format!("{request:?}"));
                frames.took(taken);
                taken.length
            }
            Step::Needs(_) if coming.is_empty() => return (all, false),
            Step::Needs(least) => {
                let piece;
                (piece, coming) = coming.split_at(pieces.next().unwrap_or(1).min(coming.len()));
                buffer.extend_from_slice(piece);
                needed = least.saturating_sub(piece.len());
                continue;
            }
        };
        assert!((1..=buffer.len()).contains(&length), "it goes on, and takes only what is there");
        (buffer, needed) = (buffer.split_off(length), 0);
    }
}
