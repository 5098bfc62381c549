//! Makes the data directory, once: aside, and renamed when it is whole.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use process::{Exit, Keeper};
use rustix::fs::OFlags;

use crate::account;
use crate::ask::SUPERUSER;
use crate::configure::{self, Machine};
use crate::death;
use crate::ground::Ground;
use crate::memory;
use crate::run::run;

/// Of `open`: a link is an error.
const NO_LINK: i32 = OFlags::NOFOLLOW.bits() as i32;

/// Makes it. After a failure there is nothing; what is left when nobody waits any more goes at the next try.
pub(crate) async fn make(ground: &Ground, keeper: &Keeper) -> Result<(), String> {
    let aside = ground.home.folder.join("data.new");
    let made = make_aside(ground, keeper, &aside).await;
    if made.is_err() {
        // The next try says it if it does not go.
        let _ = blocking(move || fs::remove_dir_all(aside)).await;
    }
    made
}

async fn make_aside(ground: &Ground, keeper: &Keeper, aside: &Path) -> Result<(), String> {
    let aside = aside.to_path_buf();
    let failed = |error: io::Error| death::reason(&format!("making the database: {error}:"), Exit::Status(1), &[], &aside);
    let (folder, stand) = (aside.clone(), ground.clone());
    blocking(move || empty(&folder, &stand)).await.map_err(failed)?;
    initdb(ground, keeper, &aside).await?;
    let (from, to, home) = (aside.clone(), ground.data(), ground.home.folder.clone());
    let finish = move || {
        include(&from.join("postgresql.conf"))?;
        if memory::syncs_at_once() {
            rustix::fs::syncfs(File::open(&from)?)?;
        }
        fs::rename(&from, &to)?;
        File::open(home)?.sync_all()
    };
    blocking(finish).await.map_err(failed)
}

/// A folder of the server's user with nothing in it.
fn empty(folder: &Path, ground: &Ground) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    DirBuilder::new().mode(0o700).create(folder)?;
    ground.give(folder)
}

async fn initdb(ground: &Ground, keeper: &Keeper, aside: &Path) -> Result<(), String> {
    let mut last = String::new();
    for locale in ["C.UTF-8", "C"] {
        let command = ground.command("initdb", arguments(ground.programs.version.major, aside, locale));
        let ran =
            run(keeper, command).await.map_err(|error| format!("cannot start initdb in {}: {error}", ground.programs.bin.display()))?;
        if ran.exit == Exit::Status(0) {
            return Ok(());
        }
        last = death::reason("initdb", ran.exit, &ran.lines, aside);
        // An older system may not know C.UTF-8.
        if !ran.lines.iter().any(|line| line.contains("locale")) {
            break;
        }
    }
    Err(last)
}

fn arguments(major: u32, data: &Path, locale: &str) -> Vec<OsString> {
    let mut words: Vec<OsString> = vec!["-D".into(), data.into(), "-U".into(), SUPERUSER.into()];
    let fixed = ["--encoding=UTF8", "--data-checksums", "--auth-local=peer", "--auth-host=reject"];
    words.extend(fixed.iter().map(OsString::from));
    words.push(format!("--locale={locale}").into());
    if memory::syncs_at_once() {
        // We do it when it is whole.
        words.push("--no-sync".into());
    }
    if major >= 14 {
        words.push("--no-instructions".into());
    }
    if major >= 17 {
        // Sorts the same on every machine, whatever its C library.
        words.extend(["--locale-provider=builtin", "--builtin-locale=C.UTF-8"].map(OsString::from));
    }
    words
}

/// Our settings come after the defaults and before what a person adds.
fn include(conf: &Path) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().append(true).custom_flags(NO_LINK).open(conf)?;
    // A second name of it would be another file of ours, which the server's user has linked here.
    if file.metadata()?.nlink() > 1 {
        return Err(io::Error::other(format!("{} has a second name", conf.display())));
    }
    writeln!(file, "\n# Plimsoll's settings; yours may stand below.\ninclude '{}'", configure::OURS)?;
    file.sync_all()
}

/// Writes our files into the data directory of a server that does not run. Blocks.
pub(crate) fn configure(ground: &Ground, connections: usize) -> io::Result<()> {
    let machine = Machine { memory: memory::available(), shared: memory::shared(), syncs_at_once: memory::syncs_at_once() };
    let texts = [
        (configure::OURS, configure::settings(machine, connections, ground.programs.version.major)),
        (configure::ACCESS, configure::access()),
        (configure::NAMES, configure::names(&[&account::our_name(), &ground.account.name])),
    ];
    for (name, text) in texts {
        write(ground, &ground.data().join(name), &text)?;
    }
    Ok(())
}

/// Whole or not at all. The folder is the server's user's, who must not lead us to a file of ours by a link.
fn write(ground: &Ground, path: &Path, text: &str) -> io::Result<()> {
    let aside = PathBuf::from(format!("{}.new", path.display()));
    match fs::remove_file(&aside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = fs::OpenOptions::new().write(true).create_new(true).custom_flags(NO_LINK).mode(0o600).open(&aside)?;
    file.write_all(text.as_bytes())?;
    ground.give_file(&file)?;
    fs::rename(&aside, path)
}

/// Off the runtime: a disk may take its time.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_is_asked_in_its_own_words() {
        let words = |major| arguments(major, Path::new("/d"), "C.UTF-8").join(OsString::from(" ").as_os_str()).into_string().unwrap();
        assert!(words(13).starts_with("-D /d -U plimsoll --encoding=UTF8 --data-checksums"));
        assert!(!words(13).contains("--no-instructions") && words(15).contains("--no-instructions"));
        assert!(!words(16).contains("builtin") && words(17).contains("--locale-provider=builtin --builtin-locale=C.UTF-8"));
    }
}
