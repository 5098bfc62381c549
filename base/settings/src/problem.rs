use std::fmt;
use std::sync::Arc;

/// A place in a file, both counted from 1; columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

/// One thing that is wrong, or doubtful, in a file. Prints as `file:line:column: reason; suggestion`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file, as the user named it.
    pub file: Arc<str>,
    /// Where; absent when the file as a whole is meant.
    pub place: Option<Place>,
    /// What is wrong.
    pub reason: String,
    /// What to write instead, if that is known.
    pub suggestion: Option<String>,
}

/// What is wrong with a value and what to write instead, before anyone knows where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong.
    pub reason: String,
    /// What to write instead.
    pub suggestion: Option<String>,
}

impl Fault {
    /// A fault without a suggestion.
    pub fn new(reason: impl Into<String>) -> Fault {
        Fault { reason: reason.into(), suggestion: None }
    }

    /// With what to do about it.
    #[must_use]
    pub fn hint(mut self, suggestion: impl Into<String>) -> Fault {
        self.suggestion = Some(suggestion.into());
        self
    }
}

/// Everything found wrong in one file, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// No problems.
    pub fn none() -> Problems {
        Problems::default()
    }

    /// One problem of a whole file.
    pub fn one(file: &str, reason: impl Into<String>, suggestion: Option<String>) -> Problems {
        Problems(vec![Problem { file: Arc::from(file), place: None, reason: reason.into(), suggestion }])
    }

    /// Adds a problem at its place in the order; the same one twice is one.
    pub fn add(&mut self, problem: Problem) {
        let at = self.0.partition_point(|other| other.place <= problem.place);
        if !self.0[..at].contains(&problem) {
            self.0.insert(at, problem);
        }
    }

    /// Keeps those that `keep` accepts.
    pub fn retain(&mut self, keep: impl FnMut(&Problem) -> bool) {
        self.0.retain(keep);
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them, in the order of the file.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.0.iter()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(Place { line, column }) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.reason)?;
        match &self.suggestion {
            Some(suggestion) => write!(f, "; {suggestion}"),
            None => Ok(()),
        }
    }
}

/// One line for each.
impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.0 {
            writeln!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: usize, reason: &str) -> Problem {
        Problem { file: "a.toml".into(), place: Some(Place { line, column: 2 }), reason: reason.into(), suggestion: Some("do b".into()) }
    }

    #[test]
    fn problems_are_in_the_order_of_the_file_and_said_once() {
        let mut problems = Problems::none();
        problems.add(at(3, "c"));
        problems.add(at(1, "a"));
        problems.add(at(3, "c"));
        assert_eq!(problems.to_string(), "a.toml:1:2: a; do b\na.toml:3:2: c; do b\n");
    }
}
