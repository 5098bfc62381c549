//! The server's settings, out of the machine's memory and the plan: pure. They are written anew before each start.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use crate::ask::SUPERUSER;
use crate::ground::Ground;

/// Our file beside `postgresql.conf`, which includes it; what a person writes after that line wins.
pub(crate) const OURS: &str = "plimsoll.conf";
pub(crate) const ACCESS: &str = "plimsoll_hba.conf";
pub(crate) const NAMES: &str = "plimsoll_ident.conf";
/// Connections beside the doors': a dump, a shell, the superuser's.
const RESERVE: usize = 10;
/// One more costs next to nothing until it is used, and a file that asks for more needs no restart.
const LEAST: usize = 100;
/// With less room for shared memory a parallel query could fail; containers give 64 MB.
const ROOM: u64 = 256 << 20;
const MB: u64 = 1 << 20;

/// What the settings are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Machine {
    /// Bytes that the server may count on.
    pub(crate) memory: u64,
    /// Bytes free in `/dev/shm`.
    pub(crate) shared: u64,
    /// One call writes down a whole file system.
    pub(crate) syncs_at_once: bool,
}

/// For how many connections of doors a server is started when the file asks for `connections`.
pub(crate) fn room(connections: usize) -> usize {
    connections.max(LEAST - RESERVE)
}

/// The text of our file.
pub(crate) fn settings(machine: Machine, connections: usize, major: u32) -> String {
    let (most, connections) = (room(connections) + RESERVE, connections + RESERVE);
    let of_memory = |part: u64, least: u64, most: u64| (machine.memory / part / MB).clamp(least, most);
    // A sort may take it more than once, and many at a time do it.
    let work = (machine.memory / 4 / connections as u64 / MB).clamp(4, 64);
    let mut lines = vec![
        "# Written by Plimsoll before each start. Write your own settings at the end of postgresql.conf.".to_string(),
        format!("max_connections = {most}"),
        // The rest of the data is in the system's cache. Bounded, because the table of pages is memory, too: an idle
        // server weighs 27 MB with 256 MB, 51 with 1 GB.
        format!("shared_buffers = {}MB", of_memory(8, 16, 256)),
        format!("effective_cache_size = {}MB", of_memory(2, 64, 1 << 20)),
        format!("maintenance_work_mem = {}MB", of_memory(16, 16, 512)),
        format!("work_mem = {work}MB"),
        "wal_level = replica".into(),
        "password_encryption = 'scram-sha-256'".into(),
        // Solid disks; the default is of turning ones.
        "random_page_cost = 1.1".into(),
        // Compiling pays for statements of seconds; an app's are of milliseconds, and each process would hold the compiler.
        "jit = off".into(),
        "logging_collector = off".into(),
        "log_destination = 'stderr'".into(),
        "log_line_prefix = ''".into(),
        // A statement holds the values that it is about.
        "log_min_error_statement = panic".into(),
        "log_checkpoints = off".into(),
        "lc_messages = 'C'".into(),
        "cluster_name = 'plimsoll'".into(),
        "unix_socket_permissions = 0700".into(),
    ];
    if major >= 14 {
        // A client that is gone stops what it asked for.
        lines.push("client_connection_check_interval = '1s'".into());
        if machine.syncs_at_once {
            lines.push("recovery_init_sync_method = syncfs".into());
        }
    }
    if machine.shared < ROOM {
        lines.push("dynamic_shared_memory_type = mmap".into());
    }
    lines.join("\n") + "\n"
}

/// Who may come in: the superuser is whom the system says we are, everybody else has a password.
pub(crate) fn access() -> String {
    format!("local all {SUPERUSER} peer map=plimsoll\nlocal all all scram-sha-256\nlocal replication {SUPERUSER} peer map=plimsoll\n")
}

/// The system's users who are the superuser.
pub(crate) fn names(users: &[&str]) -> String {
    users.iter().filter(|user| !user.is_empty()).map(|user| format!("plimsoll \"{user}\" {SUPERUSER}\n")).collect()
}

/// The server's arguments: what nobody may set otherwise.
pub(crate) fn arguments(ground: &Ground) -> Vec<OsString> {
    let data = ground.data();
    let mut arguments: Vec<OsString> = vec!["-D".into(), data.clone().into()];
    let mut set = |name: &str, value: OsString| {
        let mut word = OsString::from(name);
        word.push("=");
        word.push(value);
        arguments.extend(["-c".into(), word]);
    };
    set("listen_addresses", OsString::new());
    set("port", "5432".into());
    set("unix_socket_directories", quoted(&ground.run));
    set("hba_file", data.join(ACCESS).into());
    set("ident_file", data.join(NAMES).into());
    arguments
}

/// One element of a list of folders.
fn quoted(folder: &Path) -> OsString {
    let bytes = folder.as_os_str().as_bytes().iter();
    let doubled = bytes.flat_map(|byte| std::iter::repeat_n(*byte, if *byte == b'"' { 2 } else { 1 }));
    OsString::from_vec(std::iter::once(b'"').chain(doubled).chain([b'"']).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(text: &str, name: &str) -> String {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = "));
        line.unwrap_or_else(|| panic!("no {name} in {text}")).to_string()
    }

    #[test]
    fn settings_grow_with_the_machine_within_bounds() {
        let of = |memory: u64| settings(Machine { memory, shared: 1 << 30, syncs_at_once: true }, 20, 17);
        let (small, middle, large) = (of(256 << 20), of(4 << 30), of(256 << 30));
        assert_eq!(["shared_buffers", "work_mem", "max_connections"].map(|name| setting(&small, name)), ["32MB", "4MB", "100"]);
        assert_eq!(["shared_buffers", "work_mem"].map(|name| setting(&middle, name)), ["256MB", "34MB"]);
        assert_eq!(["shared_buffers", "work_mem"].map(|name| setting(&large, name)), ["256MB", "64MB"]);
        let many = settings(Machine { memory: 1 << 30, shared: 1 << 30, syncs_at_once: true }, 400, 17);
        assert_eq!((setting(&many, "max_connections"), room(20), room(400)), ("410".into(), 90, 400));
    }

    #[test]
    fn a_container_without_shared_memory_uses_files() {
        let tight = settings(Machine { memory: 1 << 30, shared: 64 << 20, syncs_at_once: true }, 20, 13);
        assert_eq!(setting(&tight, "dynamic_shared_memory_type"), "mmap");
        assert!(!tight.contains("client_connection_check_interval") && !tight.contains("syncfs"));
    }

    #[test]
    fn only_the_systems_word_makes_a_superuser() {
        assert_eq!(names(&["root", "", "postgres"]), "plimsoll \"root\" plimsoll\nplimsoll \"postgres\" plimsoll\n");
        assert!(!access().contains("trust"));
        assert_eq!(quoted(Path::new("/a,b\"c")), "\"/a,b\"\"c\"");
    }
}
