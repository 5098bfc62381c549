//! One file of the site as a loop remembers it: heads ready to send, small contents, open descriptors.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustix::fs::fstat;
use rustix::io::Errno;

use super::asked::{decimal, field};
use super::clock::http_date;
use super::condition::{Verdict, judge};
use super::folder::{Folder, Found, Stamp, Wait};
use super::kind::{cache_control, content_type, is_document};
use super::media::{Encoding, choose_encoding};
use super::security::{SECURITY, SITE_POLICY};
use super::small::{small, status_line};
use super::{Asked, Body, Reply, Splice};

/// Contents up to this size are kept in memory; larger ones are sent from their open file: by then `sendfile`, which
/// copies nothing, costs less than `writev` (measured: even at 16 KiB, 17 % less CPU at 64 KiB).
pub(super) const SMALL: u64 = 16 << 10;

/// A state younger than this may change again within the file system's clock tick, unseen by a stamp.
const SETTLED: Duration = Duration::from_millis(20);

/// A file and its precompressed siblings.
#[derive(Debug)]
pub(super) struct Entry {
    plain: Variant,
    /// In the order of [`Encoding::ALL`].
    encoded: [Option<Variant>; 3],
    /// The folder that holds the file: a sibling that comes or goes changes it. And the one that holds what a link leads to.
    beside: [Option<Stamp>; 2],
    /// Where the file lies that a link leads to; its siblings are the link's.
    behind: Option<Vec<u8>>,
    modified: u64,
    /// Too young to be told from its next state by its stamp.
    pub(super) young: bool,
}

#[derive(Debug)]
struct Variant {
    stamp: Stamp,
    content: Content,
    length: u64,
    etag: Box<[u8]>,
    /// `HTTP/1.1 200 OK`, `Content-Length`, then the representation's fields, then those that a 304 has too.
    head: Box<[u8]>,
    /// Where the representation's fields begin.
    fields: usize,
    /// Where those of a 304 begin.
    shared: usize,
}

#[derive(Debug)]
enum Content {
    Memory(Arc<[u8]>),
    Disk(Arc<File>),
}

impl Entry {
    /// Reads what `path` leads to; may wait for the disk. `None`: no file there that may be served.
    pub(super) fn load(folder: &Folder, path: &[u8], now: SystemTime) -> Result<Option<Entry>, Errno> {
        // Taken before the files, so that a change meanwhile is seen at the next look.
        let behind = folder.behind_link(path);
        let beside = beside(folder, path, behind.as_deref());
        let Found::File(file, stamp) = folder.look(path, Wait::Allowed)? else { return Ok(None) };
        let plain = read(file, stamp)?;
        let mut siblings = [None, None, None];
        for (sibling, encoding) in siblings.iter_mut().zip(Encoding::ALL) {
            for stem in std::iter::once(path).chain(behind.as_deref()) {
                let name = [stem, encoding.suffix()].concat();
                if sibling.is_none()
                    && let Found::File(file, stamp) = folder.look(&name, Wait::Allowed)?
                    // Older than the file itself: made from what the file was before.
                    && stamp.modified_second() >= plain.1.modified_second()
                {
                    *sibling = Some((encoding, read(file, stamp)?));
                }
            }
        }
        let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or(path);
        let vary = siblings.iter().any(Option::is_some);
        let modified = plain.1.modified_second();
        // Either way: a clock set back must not make a file young for good.
        let now = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_nanos() as i128);
        let is_young = |stamp: &Stamp| (now - stamp.changed).abs() < SETTLED.as_nanos() as i128;
        let young = is_young(&plain.1) || siblings.iter().flatten().any(|(_, (_, stamp))| is_young(stamp));
        let variant = |(content, stamp), encoding| Variant::new(name, content, stamp, encoding, modified, vary);
        let encoded = siblings.map(|sibling| sibling.map(|(encoding, read)| variant(read, Some(encoding))));
        Ok(Some(Entry { plain: variant(plain, None), encoded, beside, behind, modified, young }))
    }

    /// Whether files and folder are as they were read. Asks for stamps alone, which the kernel has in memory.
    pub(super) fn is_current(&self, folder: &Folder, path: &[u8]) -> bool {
        let behind = self.behind.as_deref();
        if self.young || beside(folder, path, behind) != self.beside || folder.stamp(path) != Some(self.plain.stamp) {
            return false;
        }
        self.encoded.iter().zip(Encoding::ALL).all(|(variant, encoding)| {
            let is_at = |stem: &[u8], stamp| folder.stamp(&[stem, encoding.suffix()].concat()) == Some(stamp);
            let is_there = |stamp| is_at(path, stamp) || behind.is_some_and(|behind| is_at(behind, stamp));
            variant.as_ref().is_none_or(|variant| is_there(variant.stamp))
        })
    }

    /// Bytes kept in memory, and descriptors.
    pub(super) fn cost(&self) -> (usize, usize) {
        let variants = std::iter::once(&self.plain).chain(self.encoded.iter().flatten());
        variants.fold((0, 0), |(bytes, files), variant| match &variant.content {
            Content::Memory(content) => (bytes + variant.head.len() + content.len(), files),
            Content::Disk(_) => (bytes + variant.head.len(), files + 1),
        })
    }

    /// Answers a GET or HEAD; `more` are further fields of a 200, 206 or 304.
    pub(super) fn reply(&self, asked: &Asked<'_>, splice: &Splice<'_>, more: &[u8], head: &mut Vec<u8>) -> Reply {
        let exist = [self.encoded[0].is_some(), self.encoded[1].is_some(), self.encoded[2].is_some()];
        let chosen = choose_encoding(asked.accept_encoding, exist).and_then(|encoding| self.encoded[encoding as usize].as_ref());
        let variant = chosen.unwrap_or(&self.plain);
        match judge(asked, &variant.etag, self.modified, variant.length) {
            Verdict::Whole => {
                head.extend_from_slice(&variant.head);
                head.extend_from_slice(more);
                variant.finish(200, 0, variant.length, asked, splice, head)
            }
            Verdict::Part { first, last } => {
                status_line(head, 206);
                content_range(head, Some((first, last)), variant.length);
                head.extend_from_slice(b"Content-Length: ");
                decimal(head, last - first + 1);
                head.extend_from_slice(b"\r\n");
                head.extend_from_slice(&variant.head[variant.fields..]);
                head.extend_from_slice(more);
                variant.finish(206, first, last - first + 1, asked, splice, head)
            }
            Verdict::NotModified => {
                status_line(head, 304);
                head.extend_from_slice(&variant.head[variant.shared..]);
                head.extend_from_slice(more);
                splice.finish(head);
                Reply { status: 304, body: Body::Empty }
            }
            Verdict::Failed => small(412, b"", asked, splice, head),
            Verdict::NoSuchPart => {
                let mut range = Vec::with_capacity(48);
                content_range(&mut range, None, variant.length);
                small(416, &range, asked, splice, head)
            }
        }
    }
}

impl Variant {
    fn new(name: &[u8], content: Content, stamp: Stamp, encoding: Option<Encoding>, modified: u64, vary: bool) -> Variant {
        let length = match &content {
            Content::Memory(bytes) => bytes.len() as u64,
            Content::Disk(_) => stamp.length,
        };
        let kind = content_type(name);
        let etag = format!("\"{:x}-{:x}\"", stamp.modified, length).into_bytes().into_boxed_slice();
        let mut head = b"HTTP/1.1 200 OK\r\nContent-Length: ".to_vec();
        decimal(&mut head, length);
        head.extend_from_slice(b"\r\n");
        let fields = head.len();
        field(&mut head, b"Content-Type: ", kind.as_bytes());
        let encoding = encoding.map(Encoding::token).or(name.to_ascii_lowercase().ends_with(b".svgz").then_some(b"gzip"));
        if let Some(token) = encoding {
            field(&mut head, b"Content-Encoding: ", token);
        }
        head.extend_from_slice(b"Accept-Ranges: bytes\r\n");
        let shared = head.len();
        field(&mut head, b"ETag: ", &etag);
        field(&mut head, b"Last-Modified: ", &http_date(modified));
        field(&mut head, b"Cache-Control: ", cache_control(name));
        if vary {
            head.extend_from_slice(b"Vary: Accept-Encoding\r\n");
        }
        head.extend_from_slice(SECURITY);
        if is_document(kind) {
            head.extend_from_slice(SITE_POLICY);
        }
        Variant { stamp, content, length, etag, head: head.into_boxed_slice(), fields, shared }
    }

    fn finish(&self, status: u16, offset: u64, length: u64, asked: &Asked<'_>, splice: &Splice<'_>, head: &mut Vec<u8>) -> Reply {
        splice.finish(head);
        if asked.is_head() || length == 0 {
            return Reply { status, body: Body::Empty };
        }
        let body = match &self.content {
            Content::Memory(bytes) => Body::Bytes(bytes.clone(), offset as usize..(offset + length) as usize),
            Content::Disk(file) => Body::File { file: file.clone(), offset, length },
        };
        Reply { status, body }
    }
}

fn content_range(head: &mut Vec<u8>, part: Option<(u64, u64)>, length: u64) {
    head.extend_from_slice(b"Content-Range: bytes ");
    match part {
        Some((first, last)) => {
            decimal(head, first);
            head.push(b'-');
            decimal(head, last);
        }
        None => head.push(b'*'),
    }
    head.push(b'/');
    decimal(head, length);
    head.extend_from_slice(b"\r\n");
}

/// Reads a small file until it holds still; a large one stays on its disk.
fn read(file: File, mut stamp: Stamp) -> Result<(Content, Stamp), Errno> {
    for _ in 0..3 {
        if stamp.length > SMALL {
            break;
        }
        let mut bytes = vec![0u8; stamp.length as usize];
        let whole = file.read_exact_at(&mut bytes, 0);
        let after = Stamp::of(&fstat(&file)?);
        match whole {
            Ok(()) if after == stamp => return Ok((Content::Memory(bytes.into()), stamp)),
            Err(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => return Err(Errno::IO),
            _ => stamp = after,
        }
    }
    Ok((Content::Disk(Arc::new(file)), stamp))
}

/// The folders that hold the siblings of a file, as they are now.
fn beside(folder: &Folder, path: &[u8], behind: Option<&[u8]>) -> [Option<Stamp>; 2] {
    [folder.stamp(parent(path)), behind.and_then(|behind| folder.stamp(parent(behind)))]
}

fn parent(path: &[u8]) -> &[u8] {
    memchr::memrchr(b'/', path).map_or(b"", |slash| &path[..slash])
}
