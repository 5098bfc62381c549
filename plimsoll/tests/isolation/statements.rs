//! Prepared statements of the protocol under names that all clients share.

use testkit::wire::frames::{bind, close_statement, describe_statement, execute, parse, sync};

use crate::client::{Client, Prepared};

const NAMES: [&str; 4] = ["s1", "s2", "A statement", "p1"];

impl Prepared {
    fn text(&self) -> String {
        match self {
            Prepared::Canary(canary) => format!("SELECT '{canary}'::text, $1::int"),
            Prepared::Shared => "SELECT 'shared'::text, $1::int + 1".into(),
            Prepared::Mine => "SELECT v FROM mine WHERE $1::int IS NOT NULL".into(),
        }
    }
}

impl Client<'_> {
    pub fn prepare(&mut self) {
        let name = self.random.of(&NAMES);
        let statement = match self.random.below(4) {
            0 => Prepared::Shared,
            1 if self.model.values.search_path().starts_with("own_") => Prepared::Mine,
            _ => Prepared::Canary(self.canary()),
        };
        let text = statement.text();
        let describe = if self.random.once_in(2) { describe_statement(name) } else { Vec::new() };
        let answer = self.exchange(format!("parse {name}: {text}"), &[parse(name, &text), describe, sync()]);
        if self.model.statements.contains_key(name) {
            assert_eq!(answer.code(), Some("42P05"), "{name} is there already: {answer:?}");
        } else {
            assert!(answer.fine().order.contains('1'));
            self.model.statements.insert(name, statement);
        }
    }

    pub fn execute(&mut self) {
        let name = self.random.of(&NAMES);
        let number = self.serial().to_string();
        let describe = if self.random.once_in(3) { describe_statement(name) } else { Vec::new() };
        let answer = self.exchange(format!("execute {name}"), &[describe, bind("", name, &[&number]), execute("", 0), sync()]);
        self.check_execution(name, &number, &answer);
    }

    pub fn check_execution(&self, name: &str, number: &str, answer: &testkit::wire::Answer) {
        let told =
            |first: &str, second: String| assert_eq!(answer.rows, [vec![Some(first.to_owned()), Some(second)]], "{name}: {answer:?}");
        match self.model.statements.get(name) {
            Some(Prepared::Canary(canary)) => told(canary, number.to_owned()),
            Some(Prepared::Shared) => told("shared", (number.parse::<u64>().unwrap() + 1).to_string()),
            Some(Prepared::Mine) => self.check_own_table(answer),
            None => assert_eq!(answer.code(), Some("26000"), "{name} is not there: {answer:?}"),
        }
    }

    pub fn check_statements(&mut self) {
        for name in NAMES {
            let answer = self.exchange(format!("execute {name}"), &[bind("", name, &["41"]), execute("", 0), sync()]);
            self.check_execution(name, "41", &answer);
        }
    }

    /// By Close, which knows no errors, or by SQL, which does.
    pub fn forget_statement(&mut self) {
        let name = self.random.of(&NAMES);
        match self.random.below(6) {
            0 => {
                self.query("DEALLOCATE ALL").fine();
                self.model.statements.clear();
                self.model.pins.prepared = None;
            }
            1 | 2 => {
                let answer = self.query(&format!("DEALLOCATE \"{name}\""));
                let expected = if self.model.statements.remove(name).is_some() { None } else { Some("26000") };
                assert_eq!(answer.code(), expected, "{answer:?}");
            }
            _ => {
                self.exchange(format!("close {name}"), &[close_statement(name), sync()]).fine();
                self.model.statements.remove(name);
            }
        }
    }
}
