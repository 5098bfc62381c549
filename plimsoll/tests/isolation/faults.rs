//! Bad manners: clients that stop reading, and clients that go in the middle of whatever they do.

use std::thread;
use std::time::Duration;

use testkit::wire::frames::{copy_data, query};

use crate::client::Client;

impl Client<'_> {
    /// Asks for much and reads nothing of it for a while, as a stopped process does.
    pub fn stopped(&mut self) {
        let canary = self.canary();
        let count = 1 + self.random.below(4);
        let sql = format!("SELECT '{canary}', repeat('x', 1000000)");
        self.note(format!("stopped before {count} answers"));
        self.wire().send(&query(&sql).repeat(count)).unwrap();
        thread::park_timeout(Duration::from_millis(self.random.below(400) as u64));
        for _ in 0..count {
            let answer = self.answer().fine();
            assert_eq!(answer.rows[0][0].as_deref(), Some(canary.as_str()));
            assert_eq!(answer.rows[0][1].as_ref().map(String::len), Some(1_000_000));
        }
    }

    /// Goes in one way or another and comes back as a new session.
    pub fn leave(&mut self) {
        match self.random.below(9) {
            0 => self.take_wire().terminate(),
            1 => self.take_wire().vanish(),
            2 => self.in_a_transaction(),
            3 => {
                self.begin_copy();
                self.wire().send(&copy_data(b"never kept\n")).unwrap();
                self.take_wire().vanish();
            }
            4 => self.in_the_middle("SELECT repeat('x', 3000000)", usize::MAX),
            5 => self.in_the_middle("SELECT 1", 3),
            6 => self.in_the_middle("SELECT pg_sleep(0.05)", usize::MAX),
            7 => self.in_the_middle("BEGIN; SELECT pg_advisory_lock(1)", 20),
            _ => self.within_a_failed_transaction(),
        }
        self.connect();
    }

    /// What was not committed is never seen again.
    fn in_a_transaction(&mut self) {
        let insert = format!("BEGIN; INSERT INTO own_{}.copied VALUES ('never kept')", self.id);
        self.query(&insert).fine();
        if self.random.once_in(2) {
            self.set();
            self.query("CREATE TEMP TABLE of_nobody (a int)").fine();
        }
        match self.random.once_in(2) {
            true => self.take_wire().terminate(),
            false => self.take_wire().vanish(),
        }
    }

    fn within_a_failed_transaction(&mut self) {
        self.query("BEGIN; SELECT 1/0");
        self.take_wire().vanish();
    }

    /// Sends some messages, the last only up to `bytes`, and waits for nothing.
    fn in_the_middle(&mut self, sql: &str, bytes: usize) {
        self.note(format!("leaves in {sql}"));
        let message = query(sql);
        let part = message[..message.len().min(bytes)].to_vec();
        let many = 1 + self.random.below(5);
        let whole: Vec<u8> = (1..many).flat_map(|_| query("SELECT repeat('y', 10000)")).collect();
        self.wire().send(&[whole, part].concat()).unwrap();
        thread::park_timeout(Duration::from_millis(self.random.below(30) as u64));
        self.take_wire().vanish();
    }
}
