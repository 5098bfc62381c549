//! A dump of every database each night, kept for a week under `state/dumps`.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use process::Exit;

use super::unfinished::RemovedWhenDropped;
use super::{aside, dump_arguments, finish};
use crate::ask::{Asker, SUPERUSER};
use crate::events;
use crate::ground::Ground;
use crate::place;
use crate::run::run;
use crate::target::Target;
use crate::tier::Shared;
use crate::tools::Tools;
use crate::view::Phase;

/// Between two looks at the clock.
const PAUSE: Duration = Duration::from_secs(300);
/// After a failure.
const AGAIN: Duration = Duration::from_secs(3600);
const KEPT: Duration = Duration::from_secs(7 * 86_400);
const DAY: i64 = 86_400;
/// The hour in which it is done, local time: between three and four.
const HOUR: i64 = 3 * 3600;

/// What is known of the nightly dumps.
#[derive(Debug, Default)]
pub(crate) struct Nightly(Mutex<Known>);

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Known {
    /// The last that succeeded.
    pub(crate) last: Option<Dumped>,
    pub(crate) failures: u64,
    /// Why the last one failed; absent when it did not.
    pub(crate) reason: Option<String>,
}

/// A night's dumps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dumped {
    pub(crate) at: SystemTime,
    pub(crate) bytes: u64,
    pub(crate) took: Duration,
}

impl Nightly {
    pub(crate) fn known(&self) -> Known {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn note(&self, result: &Result<Dumped, String>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match result {
            Ok(last) => (known.last, known.reason) = (Some(*last), None),
            Err(reason) => {
                known.failures += 1;
                known.reason = Some(reason.clone());
            }
        }
    }
}

/// Dumps night after night, as long as the tier lives.
pub(crate) async fn keep(shared: Weak<Shared>) {
    let mut not_before = SystemTime::now();
    if let Some(shared) = shared.upgrade() {
        shared.nightly.0.lock().unwrap_or_else(PoisonError::into_inner).last = newest(&folder(&shared.setup.state));
    }
    loop {
        tokio::time::sleep(PAUSE).await;
        let Some(shared) = shared.upgrade() else { return };
        let view = shared.view.borrow().clone();
        let (Phase::Up, Some(ground)) = (view.phase, view.ground) else { continue };
        let now = SystemTime::now();
        if now < not_before || !is_due(&shared, &ground, now).await {
            continue;
        }
        let result = dump_all(&shared, &ground, now).await;
        // One that the end of the server cut short is no failure.
        if result.is_ok() || shared.view.borrow().phase == Phase::Up {
            not_before = if result.is_ok() { now } else { now + AGAIN };
            shared.nightly.note(&result);
            events::dumped(&shared.setup.log, &result);
        }
    }
}

async fn is_due(shared: &Shared, ground: &Ground, now: SystemTime) -> bool {
    let made = || fs::metadata(ground.data().join("PG_VERSION")).and_then(|found| found.modified()).unwrap_or(now);
    let last = shared.nightly.known().last.map_or_else(made, |last| last.at);
    let jitter = i64::from_str_radix(&place::hash(&shared.setup.state)[..8], 16).unwrap_or(0) % 3600;
    due(seconds(now), offset(ground).await.unwrap_or(0), seconds(last), jitter)
}

/// Whether the quiet hour has passed since `last`; all in seconds, `offset` of local time from UTC.
fn due(now: i64, offset: i64, last: i64, jitter: i64) -> bool {
    let tonight = (now + offset - HOUR - jitter).div_euclid(DAY) * DAY + HOUR + jitter - offset;
    last < tonight
}

/// Of the server's time zone, which is the machine's.
async fn offset(ground: &Ground) -> Option<i64> {
    let mut asker = Asker::connect(&ground.socket(), "postgres").await.ok()?;
    let rows = asker.ask("SELECT extract(timezone FROM now())::int").await.ok()?;
    rows.first()?.first()?.as_deref()?.parse().ok()
}

/// Dumps every database now.
pub(crate) async fn dump_all(shared: &Arc<Shared>, ground: &Ground, now: SystemTime) -> Result<Dumped, String> {
    let begun = std::time::Instant::now();
    let folder = folder(&shared.setup.state);
    DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let (environment, bin, major) = (shared.setup.environment.clone(), ground.programs.bin.clone(), ground.programs.version.major);
    let finding = tokio::task::spawn_blocking(move || {
        Tools::find(Some(&bin), &environment, Some(major)).or_else(|_| Tools::find(None, &environment, Some(major)))
    });
    let tools = finding.await.map_err(|error| error.to_string())??;
    let (mut bytes, night) = (0, name(seconds(now) + offset(ground).await.unwrap_or(0)));
    for who in shared.all_credentials()? {
        bytes += dump(shared, ground, &tools, &who.database, &folder.join(format!("{}-{night}.dump", who.database))).await?;
        remove_old(&folder, &who.database, now);
    }
    Ok(Dumped { at: now, bytes, took: begun.elapsed() })
}

/// By the keeper, as our own user, who is the superuser there.
async fn dump(shared: &Shared, ground: &Ground, tools: &Tools, database: &str, file: &Path) -> Result<u64, String> {
    let (aside, target) = (aside(file), Target::socket(&ground.run, SUPERUSER, database));
    let _removed = RemovedWhenDropped(aside.clone());
    let mut command = ground.command("pg_dump", dump_arguments());
    (command.program, command.user) = (tools.program("pg_dump").into(), None);
    command.arguments.extend(["--dbname".into(), target.name().into(), "--file".into(), aside.clone().into()]);
    command.env.extend(target.environment());
    let private = File::options().write(true).create(true).truncate(true).open(&aside).and_then(|file| set_private(&file));
    private.map_err(|error| format!("{}: {error}", aside.display()))?;
    let ran = run(&shared.setup.keeper, command).await.map_err(|error| format!("cannot start pg_dump: {error}"))?;
    match ran.exit {
        Exit::Status(0) => {
            File::open(&aside).and_then(|whole| finish(&whole, &aside, file)).map_err(|error| format!("{}: {error}", file.display()))
        }
        exit => Err(format!("pg_dump of {database} ended with {exit}: {}", ran.lines.join("; "))),
    }
}

fn set_private(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(0o600))
}

pub(crate) fn folder(state: &Path) -> PathBuf {
    state.join("dumps")
}

/// Dumps of a database with the time that each was finished.
fn dumps(folder: &Path, database: Option<&str>) -> Vec<(SystemTime, PathBuf)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let is_one = |name: &str| {
        let night = name.strip_suffix(".dump").and_then(|stem| stem.len().checked_sub(NIGHT).and_then(|at| stem.split_at_checked(at)));
        night.is_some_and(|(begin, _)| begin.strip_suffix('-').is_some_and(|of| database.is_none_or(|database| database == of)))
    };
    let mine = entries.filter(|entry| entry.file_name().to_str().is_some_and(is_one));
    mine.filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path()))).collect()
}

/// The last of an earlier life.
fn newest(folder: &Path) -> Option<Dumped> {
    let (at, file) = dumps(folder, None).into_iter().max()?;
    Some(Dumped { at, bytes: fs::metadata(file).ok()?.len(), took: Duration::ZERO })
}

/// A week's are kept, and always the newest.
fn remove_old(folder: &Path, database: &str, now: SystemTime) {
    let mut all = dumps(folder, Some(database));
    all.sort();
    all.pop();
    for (at, file) in all {
        if now.duration_since(at).is_ok_and(|age| age > KEPT) {
            // It is tried again the next night.
            let _ = fs::remove_file(file);
        }
    }
}

/// Characters of `2026-11-30T03-17`.
const NIGHT: usize = 16;

/// Of local seconds.
fn name(local: i64) -> String {
    let at = UNIX_EPOCH + Duration::from_secs(local.max(0) as u64);
    String::from_utf8_lossy(&telemetry::rfc3339(at)[..NIGHT]).replace(':', "-")
}

fn seconds(at: SystemTime) -> i64 {
    at.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIDNIGHT: i64 = 20_000 * DAY;
    const MINUTE: i64 = 60;

    #[test]
    fn once_a_night_and_after_a_missed_one() {
        let at = |hour: i64, minute: i64| MIDNIGHT + hour * 3600 + minute * MINUTE;
        let due = |now, last| due(now, 0, last, 17 * MINUTE);
        assert!(!due(at(3, 16), at(-10, 0)) && due(at(3, 17), at(-10, 0)));
        assert!(!due(at(3, 18), at(3, 17)) && !due(at(26, 0), at(3, 17)) && due(at(27, 17), at(3, 17)));
        assert!(due(at(12, 0), at(-30, 0)), "the machine was off at night");
        assert!(!due(at(14, 0), at(13, 0)), "made today");
    }

    #[test]
    fn the_hour_is_the_places_own() {
        // Three in the morning at two hours east of UTC is one o'clock there.
        assert!(due(MIDNIGHT + 3600, 7200, MIDNIGHT, 0) && !due(MIDNIGHT + 3599, 7200, MIDNIGHT, 0));
        assert_eq!(name(20_787 * DAY + HOUR + 17 * MINUTE), "2026-11-30T03-17");
    }

    #[test]
    fn a_week_is_kept_and_always_the_newest() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, days: u64| {
            let file = File::create(folder.path().join(name)).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(days * 86_400)).unwrap();
        };
        for (name, days) in
            [("main-2026-11-01T03-17.dump", 20), ("main-2026-11-02T03-17.dump", 19), ("mail-main-2026-11-01T03-17.dump", 30)]
        {
            write(name, days);
        }
        write("mine.dump", 90);
        remove_old(folder.path(), "main", SystemTime::now());
        let mut left: Vec<_> =
            fs::read_dir(folder.path()).unwrap().flatten().map(|entry| entry.file_name().into_string().unwrap()).collect();
        left.sort();
        assert_eq!(left, ["mail-main-2026-11-01T03-17.dump", "main-2026-11-02T03-17.dump", "mine.dump"]);
        assert_eq!(newest(folder.path()).map(|last| (last.at.elapsed().unwrap().as_secs() / 86_400, last.bytes)), Some((19, 0)));
    }
}
