use std::sync::Arc;

use crate::{Fault, Place, Problem, Problems};

/// Collects what is wrong in one file while it is read.
#[derive(Debug)]
pub struct Report {
    file: Arc<str>,
    /// Byte offset at which each line begins.
    lines: Vec<usize>,
    text: Arc<str>,
    /// What makes the file unusable.
    pub problems: Problems,
    /// What is doubtful but runs.
    pub warnings: Problems,
    /// Environment variables that the file names as secrets, in the order found, each once.
    pub secret_variables: Vec<String>,
}

impl Report {
    /// An empty report on a file with this name and text.
    pub fn new(file: &str, text: &str) -> Report {
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let (problems, warnings) = (Problems::none(), Problems::none());
        Report { file: file.into(), lines, text: text.into(), problems, warnings, secret_variables: Vec::new() }
    }

    /// The line and column of a byte offset.
    pub fn place(&self, offset: usize) -> Place {
        let offset = offset.min(self.text.len());
        let line = self.lines.partition_point(|start| *start <= offset);
        let before = self.text.get(self.lines[line - 1]..offset).unwrap_or_default();
        Place { line, column: before.chars().count() + 1 }
    }

    /// Something at a place that makes the file unusable.
    pub fn problem(&mut self, place: Place, fault: Fault) {
        let problem = self.at(place, fault);
        self.problems.add(problem);
    }

    /// Something at a place that is doubtful but runs.
    pub fn warning(&mut self, place: Place, fault: Fault) {
        let warning = self.at(place, fault);
        self.warnings.add(warning);
    }

    /// A doubt about the file as a whole.
    pub fn warning_of_file(&mut self, fault: Fault) {
        self.warnings.add(Problem { file: self.file.clone(), place: None, reason: fault.reason, suggestion: fault.suggestion });
    }

    fn at(&self, place: Place, fault: Fault) -> Problem {
        Problem { file: self.file.clone(), place: Some(place), reason: fault.reason, suggestion: fault.suggestion }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let report = Report::new("a", "x = 1\nü = 2\n");
        assert_eq!(report.place(0), Place { line: 1, column: 1 });
        assert_eq!(report.place(9), Place { line: 2, column: 3 });
        assert_eq!(report.place(999), Place { line: 3, column: 1 });
    }
}
