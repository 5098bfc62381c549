use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use rustix::io::Errno;
use tokio::sync::Semaphore;

use super::asked::{Asked, Splice};
use super::entry::Entry;
use super::folder::{Folder, Found, Wait};
use super::kind::extension;
use super::media::{names_html, takes_html};
use super::place::{Location, is_well_known, resolve};
use super::remembered::Remembered;
use super::small::{small, status_line};
use super::{Body, Reply};

/// How long a stamp is believed: under load one question per file and millisecond, and no user sees an old file.
const TICK: Duration = Duration::from_millis(1);

/// Files of one loop that are read at once; further ones wait.
const READERS: usize = 4;

/// What the site takes; everything else is 405.
const ALLOW: &[u8] = b"Allow: GET, HEAD, OPTIONS\r\n";

/// What decided that the page for navigations stands in for a missing one.
const VARY: &[u8] = b"Vary: Accept, Sec-Fetch-Mode\r\n";
const NO_VARY: &[u8] = b"";

/// How much of the site an answer may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// The site has the last word: fallback, 404 and 405 included.
    Whole,
    /// Only a file that exists (`first = true`); whatever else is an app's.
    Existing,
}

/// The static site on one loop: its folder and what the loop remembers of it. Not shared between threads.
pub struct SiteFiles {
    dir: PathBuf,
    folder: RefCell<Option<Arc<Folder>>>,
    folder_checked: Cell<Option<Instant>>,
    remembered: RefCell<Remembered>,
    readers: Arc<Semaphore>,
    /// The decoded path of the request at hand, kept to be written again.
    scratch: Cell<Vec<u8>>,
}

/// What a path of the site leads to.
enum Place {
    File(Rc<Entry>),
    /// A folder with a page of its own, asked for without its slash.
    Directory,
    Missing,
}

impl SiteFiles {
    /// The site of `dir`, with this loop's share of the memory for `loops` loops. A folder that is missing now may come later.
    pub fn new(dir: PathBuf, loops: usize) -> SiteFiles {
        SiteFiles {
            dir,
            folder: RefCell::default(),
            folder_checked: Cell::default(),
            remembered: RefCell::new(Remembered::new(loops)),
            readers: Arc::new(Semaphore::new(READERS)),
            scratch: Cell::default(),
        }
    }

    /// Its folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Answers `asked`: appends a whole head to `head` (of a small answer its body too) and returns what is left to send.
    ///
    /// `None` only with [`Need::Existing`]: nothing was written, the request is an app's. Waits only for files
    /// that this loop has not seen or that changed; those are read by a thread of the blocking pool. The
    /// request's body, if it has one, is the caller's to discard.
    pub async fn answer(&self, asked: &Asked<'_>, splice: &Splice<'_>, need: Need, now: Instant, head: &mut Vec<u8>) -> Option<Reply> {
        if asked.method != b"GET" && !asked.is_head() {
            return (need == Need::Whole).then(|| other_method(asked, splice, head));
        }
        let mut path = self.scratch.take();
        let served = resolve(asked.path, &mut path);
        let place = if served { self.find(&path, now).await } else { Ok(Place::Missing) };
        let may_fall_back = served && is_page(asked.path, &path) && !is_well_known(&path) && is_navigation(asked);
        self.scratch.set(path);
        let (place, vary) = match place {
            Ok(Place::Missing) if need == Need::Existing => return None,
            Ok(Place::Missing) if may_fall_back => (self.find(b"index.html", now).await, VARY),
            place => (place, NO_VARY),
        };
        Some(match place {
            Ok(Place::File(entry)) => entry.reply(asked, splice, vary, head),
            Ok(Place::Directory) => redirect(asked, splice, head),
            Ok(Place::Missing) => small(404, b"", asked, splice, head),
            Err(_) => small(503, b"Retry-After: 1\r\n", asked, splice, head),
        })
    }

    /// How many files are remembered, and their bytes in memory.
    #[cfg(test)]
    pub(super) fn remembers(&self) -> (usize, usize) {
        self.remembered.borrow().size()
    }

    /// From memory when that is still so, else by the kernel's memory, else by a reader's thread.
    async fn find(&self, path: &[u8], now: Instant) -> Result<Place, Errno> {
        let Some(folder) = self.folder(now) else { return Ok(Place::Missing) };
        if let Some(entry) = self.recall(&folder, path, now) {
            return Ok(Place::File(entry));
        }
        if let Ok(Found::Missing) = folder.look(path, Wait::Never) {
            return Ok(Place::Missing);
        }
        let Ok(_permit) = self.readers.acquire().await else { return Err(Errno::IO) };
        // Whoever held the permit before may have read the same file.
        if let Some(entry) = self.recall(&folder, path, now) {
            return Ok(Place::File(entry));
        }
        match self.read(folder, path).await? {
            Read::File(entry) => {
                let entry = Rc::new(*entry);
                self.remembered.borrow_mut().insert(path, entry.clone(), now);
                Ok(Place::File(entry))
            }
            Read::Directory => Ok(Place::Directory),
            Read::Missing => Ok(Place::Missing),
        }
    }

    fn recall(&self, folder: &Folder, path: &[u8], now: Instant) -> Option<Rc<Entry>> {
        self.remembered.borrow_mut().recall(path, now, TICK, |entry| entry.is_current(folder, path))
    }

    async fn read(&self, folder: Arc<Folder>, path: &[u8]) -> Result<Read, Errno> {
        let path = path.to_vec();
        let reading = tokio::task::spawn_blocking(move || {
            if let Some(entry) = Entry::load(&folder, &path, SystemTime::now())? {
                return Ok(Read::File(Box::new(entry)));
            }
            if !matches!(folder.look(&path, Wait::Allowed)?, Found::Directory) {
                return Ok(Read::Missing);
            }
            let page = folder.look(&[path.as_slice(), b"/index.html"].concat(), Wait::Allowed)?;
            Ok(if matches!(page, Found::File(..)) { Read::Directory } else { Read::Missing })
        });
        reading.await.map_err(|_| Errno::IO)?
    }

    /// The folder as it is now: opened anew when another one has taken its name (a build that removes and makes it).
    fn folder(&self, now: Instant) -> Option<Arc<Folder>> {
        let fresh = self.folder_checked.get().is_some_and(|checked| now.saturating_duration_since(checked) < TICK);
        let mut folder = self.folder.borrow_mut();
        if !fresh {
            self.folder_checked.set(Some(now));
            if !folder.as_ref().is_some_and(|folder| folder.is_at(&self.dir)) {
                self.remembered.borrow_mut().clear();
                *folder = Folder::open(&self.dir).ok().map(Arc::new);
            }
        }
        folder.clone()
    }
}

/// What a reader's thread found.
enum Read {
    File(Box<Entry>),
    Directory,
    Missing,
}

/// Whether `asked` is a folder's, or the last segment of its decoded `path` names no kind of file.
fn is_page(asked: &[u8], path: &[u8]) -> bool {
    asked.ends_with(b"/") || path.rsplit(|byte| *byte == b'/').next().is_none_or(|name| extension(name).is_none())
}

/// Whether a person opens a page, as opposed to a script or a tag that fetches something.
fn is_navigation(asked: &Asked<'_>) -> bool {
    let by_person = asked.fetch_mode.is_none_or(|mode| mode == b"navigate");
    takes_html(asked.accept) && (by_person || names_html(asked.accept))
}

fn other_method(asked: &Asked<'_>, splice: &Splice<'_>, head: &mut Vec<u8>) -> Reply {
    if asked.method != b"OPTIONS" {
        return small(405, ALLOW, asked, splice, head);
    }
    status_line(head, 204);
    head.extend_from_slice(ALLOW);
    splice.finish(head);
    Reply { status: 204, body: Body::Empty }
}

/// To the same path with its slash; a path that begins with two slashes never comes here.
fn redirect(asked: &Asked<'_>, splice: &Splice<'_>, head: &mut Vec<u8>) -> Reply {
    status_line(head, 301);
    Location { path: asked.path, query: asked.query }.write(head);
    head.extend_from_slice(b"Content-Length: 0\r\nCache-Control: public, max-age=300\r\n");
    head.extend_from_slice(super::SECURITY);
    splice.finish(head);
    Reply { status: 301, body: Body::Empty }
}
