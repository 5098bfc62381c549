//! Two clients that share two server connections: each is told what a server of its own would tell it.

mod pool;
mod postgres;
mod script;

use pool::Pool;
use postgres::Postgres;

/// Two clients, whose bytes are a half of `bytes` each, or messages made of them.
pub(crate) fn shared(bytes: &[u8], is_script: bool) {
    let [cut, rest @ ..] = bytes else { return };
    let halves = rest.split_at(rest.len() / 2);
    let sent = if is_script { script::messages(rest) } else { [halves.0.to_vec(), halves.1.to_vec()] };
    let mut pool = Pool::new();
    let mut left = sent.each_ref().map(Vec::as_slice);
    let mut size = usize::from(*cut);
    while left.iter().any(|left| !left.is_empty()) {
        for (guest, left) in left.iter_mut().enumerate() {
            size = (size * 5 + 3) % 61;
            let (now, later) = left.split_at(left.len().min(1 + size));
            pool.client(guest, now);
            *left = later;
        }
    }
    for (guest, sent) in sent.iter().enumerate() {
        let mut alone = Postgres::default();
        alone.hear(sent);
        pool.compare(guest, sent, &alone.said);
    }
}

/// A client has sent messages; the server says whatever it likes.
pub(crate) fn said(bytes: &[u8]) {
    let [count, rest @ ..] = bytes else { return };
    let (asked, said) = rest.split_at(rest.len().min(usize::from(*count % 32)));
    let [asked, _] = script::messages(asked);
    let whole = pool::answered(&asked, [said].into_iter());
    let pieces = pool::answered(&asked, said.chunks(1 + usize::from(count / 32)));
    assert_eq!(whole, pieces, "cut in pieces");
}

#[cfg(test)]
mod tests;
