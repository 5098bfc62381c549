//! Blocks of a file: each has checksums of its own, so that what was torn or garbled is found out before it is believed.
//!
//! A file is its head, and blocks. The head is `[PLIMSKV\n][version u16][kind u8][mark u8][0 u8 x 4][generation u64][time u64][checksum u32]`,
//! a block `[mark u8 x 4][kind u8][0 u8 x 3][length u64][checksum of the bytes u32][checksum of what is before it u32][bytes]`. The last
//! checksum also covers the generation of the file and where in it the block is: one of another file, or from elsewhere, is none.
//! Numbers are little-endian; checksums are CRC-32.

use std::io::{self, Read};
use std::ops::RangeInclusive;

use crc32fast::Hasher;

use crate::store::Ms;

/// Of the form of all files; one with another is refused.
pub(super) const VERSION: u16 = 1;
const MAGIC: &[u8; 8] = b"PLIMSKV\n";
pub(super) const HEAD: usize = 36;
/// Those that there may be.
pub(super) const GENERATIONS: RangeInclusive<u64> = 1..=u64::MAX >> 1;
const MARK: &[u8; 4] = b"\xf5PBK";
pub(super) const BLOCK_HEAD: usize = 24;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// All keys at one moment.
    Base = 1,
    /// Commands since the moment of the base with its generation, or since the log before it.
    Log = 2,
}

/// How a file begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) kind: Kind,
    pub(super) generation: u64,
    /// The moment of a base; when a log was begun.
    pub(super) time: Ms,
    /// A log that counts only with the base of its generation: see `generations`.
    pub(super) needs_base: bool,
}

/// What a block holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    /// Keys, one behind the other.
    Keys = 1,
    /// Commands, in the order in which they were done.
    Commands = 2,
    /// The end of a base, with the number of its keys.
    End = 3,
}

/// Why there is no head.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoHead {
    /// The file is shorter.
    Short,
    /// The file is something else.
    Foreign,
    /// It is of a version that is not known here.
    Version(u16),
    Garbled,
}

impl Head {
    pub(super) fn of_base(generation: u64, time: Ms) -> Head {
        Head { kind: Kind::Base, generation, time, needs_base: false }
    }

    pub(super) fn bytes(&self) -> [u8; HEAD] {
        let mut bytes = [0; HEAD];
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..10].copy_from_slice(&VERSION.to_le_bytes());
        bytes[10] = self.kind as u8;
        bytes[11] = self.needs_base.into();
        bytes[16..24].copy_from_slice(&self.generation.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.time.to_le_bytes());
        let sum = crc32fast::hash(&bytes[..32]);
        bytes[32..].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    pub(super) fn of(bytes: &[u8]) -> Result<Head, NoHead> {
        let bytes: &[u8; HEAD] = bytes.try_into().map_err(|_| NoHead::Short)?;
        if &bytes[..8] != MAGIC {
            return Err(NoHead::Foreign);
        }
        let version = u16::from_le_bytes([bytes[8], bytes[9]]);
        if crc32fast::hash(&bytes[..32]).to_le_bytes() != bytes[32..] {
            // One that is newer may have its checksum elsewhere.
            return Err(if version > VERSION { NoHead::Version(version) } else { NoHead::Garbled });
        }
        if version != VERSION {
            return Err(NoHead::Version(version));
        }
        let generation = number(&bytes[16..24]);
        let (kind, needs_base) = match (bytes[10], bytes[11]) {
            (1, 0) => (Kind::Base, false),
            (2, mark @ (0 | 1)) => (Kind::Log, mark == 1),
            _ => return Err(NoHead::Garbled),
        };
        if !GENERATIONS.contains(&generation) {
            return Err(NoHead::Garbled);
        }
        Ok(Head { kind, generation, time: number(&bytes[24..32]), needs_base })
    }
}

fn number(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes.try_into().expect("eight bytes were asked for"))
}

/// Of the bytes of a block.
pub(super) fn checksum(bytes: &[u8]) -> u32 {
    crc32fast::hash(bytes)
}

/// The head of a block at `at`, with `sum` of its bytes.
pub(super) fn block_head(holds: Holds, length: usize, sum: u32, generation: u64, at: u64) -> [u8; BLOCK_HEAD] {
    let mut bytes = [0; BLOCK_HEAD];
    bytes[..4].copy_from_slice(MARK);
    bytes[4] = holds as u8;
    bytes[8..16].copy_from_slice(&(length as u64).to_le_bytes());
    bytes[16..20].copy_from_slice(&sum.to_le_bytes());
    let sum = head_sum(&bytes, generation, at);
    bytes[20..].copy_from_slice(&sum.to_le_bytes());
    bytes
}

fn head_sum(head: &[u8; BLOCK_HEAD], generation: u64, at: u64) -> u32 {
    let mut sum = Hasher::new();
    sum.update(&head[..20]);
    sum.update(&generation.to_le_bytes());
    sum.update(&at.to_le_bytes());
    sum.finalize()
}

/// Reads the blocks of a file.
pub(super) struct Blocks<R> {
    from: R,
    generation: u64,
    /// Where the next block begins.
    pub(super) at: u64,
    /// Bytes of the file.
    length: u64,
    bytes: Vec<u8>,
}

/// What is next in a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next<'b> {
    Block(Holds, &'b [u8]),
    /// Nothing.
    End,
    /// The beginning of a block, or what is none; nothing that is right is behind it.
    Torn,
    /// What is no block, with blocks behind it.
    Garbled,
    /// A block that holds what is not known here.
    Unknown(u8),
}

/// Bytes that are searched at once for a block behind what is none.
const SEARCHED: usize = 1 << 20;

impl<R: Read> Blocks<R> {
    /// Of a file of `length` bytes whose head was read.
    pub(super) fn new(from: R, generation: u64, length: u64) -> Blocks<R> {
        Blocks { from, generation, at: HEAD as u64, length, bytes: Vec::new() }
    }

    /// The next block, or what is there instead of one; after that only [`Next::Block`] may be followed by more.
    pub(super) fn next(&mut self) -> io::Result<Next<'_>> {
        let left = self.length.saturating_sub(self.at);
        if left == 0 {
            return Ok(Next::End);
        }
        let mut head = [0; BLOCK_HEAD];
        if left < BLOCK_HEAD as u64 {
            return Ok(Next::Torn);
        }
        self.from.read_exact(&mut head)?;
        let Some((holds, length, sum)) = read_head(&head, self.generation, self.at) else {
            return self.search(&head, self.at);
        };
        let body = self.at + BLOCK_HEAD as u64;
        // A length that its checksum vouches for is more than there is only where the file ends too early.
        let Some(size) = usize::try_from(length).ok().filter(|_| length <= self.length - body) else { return Ok(Next::Torn) };
        self.bytes.clear();
        self.bytes.resize(size, 0);
        self.from.read_exact(&mut self.bytes)?;
        if checksum(&self.bytes) != sum {
            return self.search(&[], body + length);
        }
        self.at = body + length;
        Ok(match holds {
            1 => Next::Block(Holds::Keys, &self.bytes),
            2 => Next::Block(Holds::Commands, &self.bytes),
            3 => Next::Block(Holds::End, &self.bytes),
            other => Next::Unknown(other),
        })
    }

    /// What is not right is the end of the file only if no block is behind it.
    fn search(&mut self, first: &[u8], mut at: u64) -> io::Result<Next<'_>> {
        let mut window = first.to_vec();
        loop {
            for place in memchr::memmem::find_iter(&window, MARK) {
                if let Some(head) = window[place..].first_chunk()
                    && read_head(head, self.generation, at + place as u64).is_some()
                {
                    return Ok(Next::Garbled);
                }
            }
            // A head may begin in what was searched.
            let done = window.len().saturating_sub(BLOCK_HEAD - 1);
            window.drain(..done);
            at += done as u64;
            let before = window.len();
            self.from.by_ref().take(SEARCHED as u64).read_to_end(&mut window)?;
            if window.len() == before {
                return Ok(Next::Torn);
            }
        }
    }
}

/// What is in a block, how long it is, and its checksum.
fn read_head(head: &[u8; BLOCK_HEAD], generation: u64, at: u64) -> Option<(u8, u64, u32)> {
    let sum = |from: usize| u32::from_le_bytes([head[from], head[from + 1], head[from + 2], head[from + 3]]);
    let is_right = &head[..4] == MARK && sum(20) == head_sum(head, generation, at);
    is_right.then(|| (head[4], number(&head[8..16]), sum(16)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: Head = Head { kind: Kind::Log, generation: 7, time: 9, needs_base: false };

    fn file(blocks: &[&[u8]]) -> Vec<u8> {
        let mut all = FILE.bytes().to_vec();
        for bytes in blocks {
            let head = block_head(Holds::Commands, bytes.len(), checksum(bytes), FILE.generation, all.len() as u64);
            all.extend_from_slice(&head);
            all.extend_from_slice(bytes);
        }
        all
    }

    /// The blocks that are read, and what is behind them.
    fn read(all: &[u8]) -> (Vec<Vec<u8>>, String) {
        let mut blocks = Blocks::new(&all[HEAD..], FILE.generation, all.len() as u64);
        let mut found = Vec::new();
        loop {
            match blocks.next().unwrap() {
                Next::Block(Holds::Commands, bytes) => found.push(bytes.to_vec()),
                other => return (found, format!("{other:?}")),
            }
        }
    }

    #[test]
    fn a_head_is_read_as_it_was_written() {
        for needs_base in [false, true] {
            let head = Head { needs_base, ..FILE };
            assert_eq!(Head::of(&head.bytes()), Ok(head));
        }
        assert_eq!(Head::of(&FILE.bytes()[..35]), Err(NoHead::Short));
        assert_eq!(Head::of(&[b'x'; HEAD]), Err(NoHead::Foreign));
        let mut newer = FILE.bytes();
        newer[8] = 9;
        assert_eq!(Head::of(&newer), Err(NoHead::Version(9)));
        for bit in 8 * 10..8 * HEAD {
            let mut other = FILE.bytes();
            other[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Head::of(&other), Err(NoHead::Garbled), "{bit}");
        }
    }

    #[test]
    fn what_is_cut_anywhere_is_read_up_to_its_last_whole_block() {
        let all = file(&[b"first", b"", b"third, and the longest"]);
        assert_eq!(read(&all), (vec![b"first".to_vec(), vec![], b"third, and the longest".to_vec()], "End".into()));
        let ends = [HEAD, HEAD + 24 + 5, HEAD + 48 + 5];
        for length in HEAD..all.len() {
            let (found, rest) = read(&all[..length]);
            let whole = ends.iter().filter(|end| **end <= length).count() - 1;
            let is_end = ends.contains(&length);
            assert_eq!((found.len(), &*rest), (whole, if is_end { "End" } else { "Torn" }), "{length}");
        }
    }

    #[test]
    fn what_is_garbled_before_whole_blocks_is_no_torn_end() {
        let all = file(&[b"first", b"second", b"third"]);
        let last = HEAD + 24 + 5 + 24 + 6;
        for bit in 8 * HEAD..8 * all.len() {
            let mut other = all.clone();
            other[bit / 8] ^= 1 << (bit % 8);
            let (found, rest) = read(&other);
            assert!(found.len() < 3 && rest == if bit / 8 < last { "Garbled" } else { "Torn" }, "{bit} {rest}");
        }
    }

    #[test]
    fn a_block_from_elsewhere_is_none() {
        let all = file(&[b"first", b"first"]);
        let twice = [&all[..HEAD + 29], &all[HEAD..HEAD + 29]].concat();
        assert_eq!(read(&twice).1, "Torn");
    }
}
