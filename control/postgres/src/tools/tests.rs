use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;

/// Programs that do what the scripts say; what psql was given is in the file.
pub(crate) fn programs(pg_restore: &str) -> (tempfile::TempDir, Tools) {
    let bin = tempfile::tempdir().unwrap();
    let psql = format!("cat >{}/given", bin.path().display());
    for (name, script) in [("psql", psql.as_str()), ("pg_restore", pg_restore)] {
        let program = bin.path().join(name);
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let tools = Tools { bin: bin.path().into(), major: 18 };
    (bin, tools)
}
