use std::path::PathBuf;
use std::time::Instant;

use super::{Asked, Body, Reply, Small, Splice};

/// How much of the site an answer may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// The site has the last word: fallback, 404 and 405 included.
    Whole,
    /// Only a file that exists (`first = true`); whatever else is an app's.
    Existing,
}

/// The static site on one loop: its folder and what the loop remembers of it. Not shared between threads.
#[derive(Debug)]
pub struct SiteFiles {
    dir: PathBuf,
}

impl SiteFiles {
    /// The site of `dir`, with this loop's share of the memory for `loops` loops. A folder that is missing now may come later.
    pub fn new(dir: PathBuf, loops: usize) -> SiteFiles {
        let _ = loops;
        SiteFiles { dir }
    }

    /// Answers `asked`: appends a whole head to `head` (of a small answer its body too) and returns what is left to send.
    ///
    /// `None` only with [`Need::Existing`]: nothing was written, the request is an app's. Waits only for files
    /// that this loop has not seen or that changed; those are read by a thread of the blocking pool.
    pub async fn answer(&self, asked: &Asked<'_>, splice: &Splice<'_>, need: Need, now: Instant, head: &mut Vec<u8>) -> Option<Reply> {
        let _ = (&self.dir, now);
        if need == Need::Existing {
            return None;
        }
        Small { head_only: asked.is_head(), ..Small::new(404, asked.accept) }.write(splice, head);
        Some(Reply { status: 404, body: Body::Empty })
    }
}
