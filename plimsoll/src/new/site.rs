use std::path::Path;

use super::{Found, Site, has};

/// Folders where pages lie, the built ones first.
const FOLDERS: [&str; 12] =
    ["web/dist", "frontend/dist", "client/dist", "web", "dist", "build", "out", "_site", "site", "public", "www", "."];

/// A folder with an index.html.
pub fn find(dir: &Path) -> Option<Found> {
    let folder = pages(dir)?;
    let what = if folder == "." { "a static site (index.html)".into() } else { format!("a static site ({folder}/index.html)") };
    let found = Found { what, site: Some(Site { dir: folder.into(), first: false }), ..Found::default() };
    let whole = "the whole folder is served: move the pages into a folder of their own if there is more in it";
    Some(if folder == "." { found.note(whole) } else { found })
}

/// The folder of an index.html.
pub fn pages(dir: &Path) -> Option<&'static str> {
    FOLDERS.into_iter().find(|name| has(dir, &format!("{name}/index.html")))
}
