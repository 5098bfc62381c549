//! The first line of a script or a library, if it begins with `#!`: the language, and what it is marked with.

use crate::frame::words;

/// What a script is marked with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Marks {
    /// It has no such line: what it does decides.
    pub(crate) is_plain: bool,
    pub(crate) reads_only: bool,
    /// It may run when memory is full.
    pub(crate) allows_full: bool,
    allows_stale: bool,
    no_cluster: bool,
    crosses_slots: bool,
}

type Mark = (&'static str, fn(&mut Marks) -> &mut bool);

/// In the order in which they are listed.
const ALL: [Mark; 5] = [
    ("no-writes", |marks| &mut marks.reads_only),
    ("allow-oom", |marks| &mut marks.allows_full),
    ("allow-stale", |marks| &mut marks.allows_stale),
    ("no-cluster", |marks| &mut marks.no_cluster),
    ("allow-cross-slot-keys", |marks| &mut marks.crosses_slots),
];

impl Marks {
    /// Adds a mark, if it is one; functions name them in any case.
    pub(super) fn add(&mut self, name: &str, in_any_case: bool) -> bool {
        let known = ALL.iter().find(|(known, _)| *known == name || in_any_case && known.eq_ignore_ascii_case(name));
        known.map(|(_, mark)| *mark(self) = true).is_some()
    }

    /// The names of all that are set.
    pub(crate) fn names(mut self) -> impl Iterator<Item = &'static str> {
        ALL.into_iter().filter(move |(_, mark)| *mark(&mut self)).map(|(name, _)| name)
    }
}

/// The words of the first line, and the length of it, if there is one. None of it: the line has no end, or no words.
pub(super) fn line(code: &[u8]) -> Result<Option<(Vec<String>, usize)>, ()> {
    if !code.starts_with(b"#!") {
        return Ok(None);
    }
    let end = memchr::memchr(b'\n', code).ok_or(())?;
    let words = words(&code[..end]).unwrap_or_default();
    if words.is_empty() { Err(()) } else { Ok(Some((words, end))) }
}

/// The marks of a script, and how many bytes of it are no Lua.
///
/// # Errors
/// As Redis says it, without a code.
pub(super) fn of_script(code: &[u8]) -> Result<(Marks, usize), String> {
    let Some((words, length)) = line(code).map_err(|()| "Invalid script shebang")? else {
        return Ok((Marks { is_plain: true, ..Marks::default() }, 0));
    };
    if words[0] != "#!lua" {
        return Err(format!("Unexpected engine in script shebang: {}", words[0]));
    }
    let mut marks = Marks::default();
    for word in &words[1..] {
        let Some(flags) = word.strip_prefix("flags=") else { return Err(format!("Unknown lua shebang option: {word}")) };
        for flag in flags.split(',').filter(|_| !flags.is_empty()) {
            if !marks.add(flag, false) {
                return Err(format!("Unexpected flag in script shebang: {flag}"));
            }
        }
    }
    Ok((marks, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_read_and_what_is_none_is_refused() {
        assert_eq!(of_script(b"return 1"), Ok((Marks { is_plain: true, ..Marks::default() }, 0)));
        let (marks, length) = of_script(b"#!lua flags=no-writes,allow-oom\nreturn 1").expect("they are right");
        assert_eq!(marks.names().collect::<Vec<_>>(), ["no-writes", "allow-oom"]);
        assert_eq!((marks.is_plain, length), (false, 31));
        assert_eq!(of_script(b"#!lua flags=\nreturn 1").map(|(marks, _)| marks), Ok(Marks::default()));
        for (code, fault) in [
            ("#!lua", "Invalid script shebang"),
            ("#!not-lua\nx", "Unexpected engine in script shebang: #!not-lua"),
            ("#!lua badger=1\nx", "Unknown lua shebang option: badger=1"),
            ("#!lua flags=no-writes,what?\nx", "Unexpected flag in script shebang: what?"),
        ] {
            assert_eq!(of_script(code.as_bytes()), Err(fault.to_string()), "{code}");
        }
    }
}
