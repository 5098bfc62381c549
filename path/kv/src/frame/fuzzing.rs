//! The promises of requests and numbers, for any bytes.

use super::number::{Long, parse_double, parse_int, write_double, write_int};
use super::{Args, Cut, Limits, Requests, Rest};

/// What was read: requests, and why the rest was not.
pub(super) type Told = (Vec<Vec<Vec<u8>>>, Option<Cut>);

/// Whatever the pieces in which bytes come and however many requests are read at once, the same requests are read; they
/// are still the same once written as lists; their memory is bounded by the bytes.
pub(crate) fn requests(bytes: &[u8]) {
    let [flags, most, seed, bytes @ ..] = bytes else { return };
    let limits = Limits { argument: 1000, request: 2000, known: flags & 1 == 0 };
    let pieces = (0..).map(|at: u32| usize::from(seed.rotate_left(at) % 23) + 1);
    let whole = told(bytes, &limits, usize::MAX, std::iter::once(bytes.len()));
    assert_eq!(told(bytes, &limits, usize::from(*most) + 1, pieces), whole);
    let trusting = Limits { request: usize::MAX, ..Limits::default() };
    let again = whole.0.iter().flat_map(|words| listed(words)).collect::<Vec<u8>>();
    assert_eq!(told(&again, &trusting, usize::MAX, std::iter::once(again.len())), (whole.0, None));
}

/// A text that is read as a number is read as the same once printed.
pub(crate) fn numbers(text: &[u8]) {
    let mut printed = Vec::new();
    if let Some(value) = parse_int(text) {
        write_int(value, &mut printed);
        assert_eq!(printed, text);
        printed.clear();
    }
    if let Some(value) = parse_double(text) {
        write_double(value, &mut printed);
        assert_eq!(parse_double(&printed).map(f64::to_bits), Some(value.to_bits()));
        assert!(Long::parse(text).is_some() || text.len() > 5119, "a long holds every double");
        printed.clear();
    }
    if let Some(sum) = Long::parse(text).and_then(|value| value.plus(Long::parse(b"0")?)) {
        sum.write(&mut printed);
        assert!(Long::parse(&printed).is_some());
    }
}

/// Reads bytes that come in pieces of these sizes, `most` requests at once. If that is even, the last of them is taken.
pub(super) fn told(bytes: &[u8], limits: &Limits, most: usize, mut pieces: impl Iterator<Item = usize>) -> Told {
    let (mut requests, mut buffer, mut coming, mut all) = (Requests::default(), Vec::new(), bytes, Vec::new());
    let mut needed = 0;
    loop {
        let rest = requests.read(&buffer, most, limits);
        all.extend((0..requests.len()).map(|index| words(requests.at(index, &buffer))));
        requests.check(buffer.len());
        if needed > 0 {
            assert_eq!((requests.len(), &rest), (0, &Rest::Needs(needed)), "fewer bytes came than were needed");
        }
        if most.is_multiple_of(2) && requests.len() > 0 {
            let last = requests.take_last(&mut buffer).expect("there is one");
            assert_eq!(all.last(), Some(&words(last.args())));
        }
        buffer.drain(..requests.consumed());
        match rest {
            Rest::Cut(cut) => return (all, Some(cut)),
            Rest::Needs(_) if coming.is_empty() => return (all, None),
            Rest::Needs(least) => {
                let piece;
                (piece, coming) = coming.split_at(pieces.next().unwrap_or(1).min(coming.len()));
                buffer.extend_from_slice(piece);
                needed = least.saturating_sub(piece.len());
            }
            Rest::More => {}
        }
    }
}

fn words(args: Args<'_>) -> Vec<Vec<u8>> {
    args.iter().map(<[u8]>::to_vec).collect()
}

/// A request as a list.
pub(super) fn listed(words: &[Vec<u8>]) -> Vec<u8> {
    let mut out = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        out.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        out.extend_from_slice(word);
        out.extend_from_slice(b"\r\n");
    }
    out
}
