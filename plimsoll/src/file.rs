//! The whole plimsoll.toml: read as written, checked, made into one plan of plans.

use std::path::{Path, PathBuf};

use settings::{Mark, Problems};

/// Everything the file asks for: checked and complete.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The file, absolute.
    pub file: PathBuf,
    /// `name`, or the name of the file's folder.
    pub name: String,
    /// Folder of everything kept, absolute; it may not exist yet.
    pub state: PathBuf,
    /// Whether `--state` chose the folder instead of the file.
    pub state_given: bool,
    /// The file's text as it was read, to see later whether it differs.
    pub text: String,
    /// The stage of the ladder, 1 to 7.
    pub stage: u8,
    /// The HTTP door.
    pub http: http_door::Plan,
    /// The apps, in the order of their names.
    pub apps: Vec<apps::Plan>,
    /// The console.
    pub console: watch::Plan,
    /// What is doubtful but runs; print them, one line each.
    pub warnings: Problems,
    /// Every key that the file writes.
    pub keys: Vec<Written>,
}

/// A key that the file writes.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// `http.max.body`.
    pub key: String,
    /// What a change of it costs.
    pub mark: Mark,
    /// Its line.
    pub line: usize,
}

/// A key whose value differs between two files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// `http.max.body`.
    pub key: String,
    /// What the change costs.
    pub mark: Mark,
}

/// Reads and checks a file, or `plimsoll.toml` of a folder; `state` overrides the file's (relative to the working folder).
///
/// Secrets are resolved (their commands run, once) and names of outside apps looked up.
///
/// # Errors
/// Every problem of the file at once, in its order.
pub fn load(path: &Path, state: Option<&Path>) -> Result<Plan, Problems> {
    let file = if path.is_dir() { path.join("plimsoll.toml") } else { path.to_path_buf() };
    let shown = file.display().to_string();
    let file = std::path::absolute(&file).map_err(|error| Problems::one(&shown, error.to_string(), None))?;
    let text = std::fs::read_to_string(&file).map_err(|error| Problems::one(&shown, error.to_string(), None))?;
    let folder = file.parent().unwrap_or(Path::new("/")).to_path_buf();
    Ok(Plan {
        name: folder.file_name().map_or_else(|| "app".into(), |name| name.to_string_lossy().into_owned()),
        state: state.map_or_else(|| folder.join(".plimsoll"), Path::to_path_buf),
        stage: 1,
        http: http_door::Plan {
            listen: vec![http_door::Listen { address: ([127, 0, 0, 1], 8080).into(), written: false }],
            hosts: Vec::new(),
            trust: Vec::new(),
            log: http_door::AccessLog::Off,
            max: http_door::Max::default(),
            timeout: http_door::Timeout::default(),
            site: None,
            apps: Vec::new(),
        },
        apps: Vec::new(),
        console: watch::Plan::default(),
        warnings: Problems::none(),
        keys: Vec::new(),
        state_given: state.is_some(),
        text,
        file,
    })
}

/// What differs between two files, in the order of the keys.
pub fn compare(old: &Plan, new: &Plan) -> Vec<Change> {
    if old.state == new.state { Vec::new() } else { vec![Change { key: "state".into(), mark: Mark::Restart }] }
}
