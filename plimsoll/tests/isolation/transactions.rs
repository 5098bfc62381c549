//! Transactions: what is set in them lasts or goes with them.

use crate::client::Client;

impl Client<'_> {
    /// Some steps, then an end of one kind or another.
    pub fn transaction(&mut self) {
        let begin = self.random.of(&["BEGIN", "START TRANSACTION", "begin isolation level read committed"]);
        assert_eq!(self.query(begin).fine().status, b'T');
        let (values, rows) = (self.model.values.clone(), self.rows);
        for _ in 0..self.random.below(5) {
            self.step();
        }
        let keeps = match self.random.below(5) {
            0 => self.fails(),
            1 => self.query("ROLLBACK").fine().status == b'T',
            _ => {
                let answer = self.query("COMMIT").fine();
                assert_eq!(answer.tags, ["COMMIT"]);
                true
            }
        };
        if !keeps {
            self.model.values = values;
            self.rows = rows;
        }
        self.model.values.local.clear();
        self.check_rows();
    }

    fn step(&mut self) {
        match self.random.below(8) {
            0 => self.set(),
            1 => self.set_local(),
            2 => self.check_settings(),
            3 => self.savepoint(),
            4 => self.cursor(),
            5 => {
                let canary = self.canary();
                let answer = self
                    .query(&format!(
                        "CREATE TEMP TABLE brief ON COMMIT DROP AS SELECT '{canary}'::text AS v; SELECT v FROM brief; DROP TABLE brief"
                    ))
                    .fine();
                assert_eq!(answer.value(), canary);
            }
            _ => self.insert(),
        }
    }

    fn insert(&mut self) {
        let canary = self.canary();
        self.ask(&format!("INSERT INTO own_{}.copied VALUES ($1)", self.id), &[&canary]).fine();
        self.rows += 1;
    }

    /// What is set after it goes with it.
    fn savepoint(&mut self) {
        self.query("SAVEPOINT here").fine();
        let (values, rows) = (self.model.values.clone(), self.rows);
        match self.random.below(3) {
            0 => self.set(),
            1 => self.set_local(),
            _ => self.insert(),
        }
        if self.random.once_in(2) {
            assert_eq!(self.query("SELECT 1/0").status, b'E');
            assert_eq!(self.query("SELECT 1").code(), Some("25P02"));
        }
        assert_eq!(self.query("ROLLBACK TO here").fine().status, b'T');
        (self.model.values, self.rows) = (values, rows);
    }

    fn cursor(&mut self) {
        let first = self.serial();
        self.query(&format!("DECLARE mine CURSOR FOR SELECT generate_series({first}, {first} + 9)")).fine();
        assert_eq!(self.query("FETCH 3 FROM mine").fine().rows.len(), 3);
        assert_eq!(self.query("MOVE 2 FROM mine; FETCH 1 FROM mine").value(), (first + 5).to_string());
        self.query("CLOSE mine").fine();
    }

    /// An error, then the end that a commit becomes.
    fn fails(&mut self) -> bool {
        assert_eq!(self.query("SELECT 1/0").status, b'E');
        assert_eq!(self.query("SELECT 'ignored'").code(), Some("25P02"));
        let end = self.random.of(&["COMMIT", "ROLLBACK"]);
        let answer = self.query(end).fine();
        assert_eq!((answer.tags, answer.status), (vec!["ROLLBACK".to_owned()], b'I'));
        false
    }

    /// Its rows are there, each once, and no others.
    pub fn check_rows(&mut self) {
        let sql = format!("SELECT count(*), count(DISTINCT v), count(*) FILTER (WHERE v LIKE 'canary-{0}-%') FROM own_{0}.copied", self.id);
        let expected = Some(self.rows.to_string());
        let answer = self.query(&sql).fine();
        assert_eq!(answer.rows, [vec![expected.clone(), expected.clone(), expected]], "rows of client {}", self.id);
    }
}
