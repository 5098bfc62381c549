//! Traffic of all kinds, every answer checked to be this client's.

use std::time::Duration;

use testkit::wire::frames::{bind, close_portal, copy_data, copy_done, copy_fail, describe_portal, execute, flush, parse, query, sync};

use crate::client::Client;

impl Client<'_> {
    /// Many batches at once, one of them wrong; each tells its own number, in order.
    pub fn pipeline(&mut self) {
        let count = 1 + self.random.below(30);
        let wrong = self.random.below(count * 2);
        let canary = self.canary();
        let mut bytes = Vec::new();
        for number in 0..count {
            bytes.extend(self.batch(&canary, number, number == wrong));
        }
        self.note(format!("pipeline of {count}, wrong: {wrong}"));
        self.wire().send(&bytes).unwrap();
        for number in 0..count {
            let answer = self.answer();
            match number == wrong {
                true => assert_eq!((answer.code(), answer.status), (Some("22012"), b'I')),
                false => assert_eq!(answer.value(), format!("{canary} {number}")),
            }
        }
    }

    fn batch(&mut self, canary: &str, number: usize, wrong: bool) -> Vec<u8> {
        let value = format!("{canary} {number}");
        match (wrong, self.random.below(3)) {
            (true, 0) => query("SELECT 1/0"),
            (true, _) => [parse("", "SELECT 1 / $1::int"), bind("", "", &["0"]), execute("", 0), execute("", 0), sync()].concat(),
            (false, 0) => query(&format!("SELECT '{value}'")),
            (false, 1) => [parse("", "SELECT $1::text"), bind("", "", &[&value]), describe_portal(""), execute("", 0), sync()].concat(),
            (false, _) => {
                let portal = [bind("a portal", "", &[&value]), execute("a portal", 0), close_portal("a portal")].concat();
                [parse("", "SELECT $1::text"), flush(), portal, sync()].concat()
            }
        }
    }

    /// Rows in, counted; given up in the middle; wrong; and out again.
    pub fn copy(&mut self) {
        match self.random.below(4) {
            0 => self.copy_given_up(),
            1 => self.copy_out(),
            _ => self.copy_in(),
        }
        self.check_rows();
    }

    pub fn begin_copy(&mut self) {
        let sql = format!("COPY own_{}.copied FROM STDIN", self.id);
        self.note(sql.clone());
        self.wire().send(&query(&sql)).unwrap();
        loop {
            match self.wire().receive().unwrap().tag {
                b'G' => return,
                b'A' | b'N' | b'S' => {}
                other => panic!("no CopyInResponse but {}", char::from(other)),
            }
        }
    }

    fn copy_in(&mut self) {
        self.begin_copy();
        let count = 1 + self.random.below(500);
        let rows: Vec<u8> = (0..count).flat_map(|_| format!("{}\n", self.canary()).into_bytes()).collect();
        for piece in rows.chunks(1 + self.random.below(5000)) {
            self.wire().send(&copy_data(piece)).unwrap();
        }
        let answer = self.exchange(format!("{count} rows"), &[copy_done()]).fine();
        assert_eq!(answer.tags, [format!("COPY {count}")]);
        self.rows += count;
    }

    fn copy_given_up(&mut self) {
        self.begin_copy();
        let row = format!("{}\n", self.canary());
        let answer = match self.random.once_in(2) {
            true => self.exchange("given up".into(), &[copy_data(row.as_bytes()), copy_fail("on purpose")]),
            false => self.exchange("wrong".into(), &[copy_data(b"two\tcolumns\n"), copy_data(row.as_bytes()), copy_done()]),
        };
        assert!(matches!(answer.code(), Some("57014" | "22P04")), "{answer:?}");
        assert_eq!(answer.status, b'I');
    }

    fn copy_out(&mut self) {
        let answer = self.query(&format!("COPY (SELECT v FROM own_{}.copied) TO STDOUT", self.id)).fine();
        let own = format!("canary-{}-", self.id);
        let text = String::from_utf8(answer.copied).unwrap();
        assert!(text.lines().all(|line| line.starts_with(&own)), "{text:.300}");
        assert_eq!(text.lines().count(), self.rows);
    }

    pub fn large(&mut self) {
        let canary = self.canary();
        let times = 1 + self.random.below(100_000);
        let answer = self.ask("SELECT repeat($1, $2::int)", &[&canary, &times.to_string()]);
        assert!(answer.value() == canary.repeat(times), "another's or a broken text of {} bytes", answer.value().len());
    }

    pub fn notice(&mut self) {
        let canary = self.canary();
        let answer = self.query(&format!("DO $$ BEGIN RAISE NOTICE '{canary}'; END $$")).fine();
        assert_eq!(answer.notices.iter().map(|notice| notice.text.as_str()).collect::<Vec<_>>(), [canary]);
    }

    /// Its own notification comes before the answer; those of a channel that it does not listen to never.
    pub fn notify(&mut self) {
        let channel = format!("news_{}", self.id);
        match (self.model.listens, self.random.below(3)) {
            (false, 0) => {
                self.query(&format!("LISTEN {channel}")).fine();
                self.model.listens = true;
            }
            (true, 0) => {
                let sql = if self.random.once_in(2) { format!("UNLISTEN {channel}") } else { "UNLISTEN *".into() };
                self.query(&sql).fine();
                self.model.listens = false;
            }
            _ => {
                let canary = self.canary();
                let answer = self.query(&format!("NOTIFY {channel}, '{canary}'")).fine();
                let heard = answer.notifications.iter().filter(|(_, payload)| *payload == canary).count();
                assert_eq!(heard, usize::from(self.model.listens), "client {}: {answer:?}", self.id);
            }
        }
    }

    /// A statement that sleeps is cancelled, and nothing else.
    pub fn cancelled(&mut self) {
        let sql = "SELECT pg_sleep(600)";
        self.note("cancelled");
        self.wire().send(&query(sql)).unwrap();
        // a cancel that comes before the statement has begun is lost, as with Postgres
        let cancelled = (0..100).any(|_| {
            self.wire().cancel().unwrap();
            self.wire().hears_within(Duration::from_millis(300)).unwrap()
        });
        assert!(cancelled, "no cancel was heard");
        let answer = self.wire().answer().unwrap();
        assert_eq!(answer.code(), Some("57014"), "{answer:?}");
        // one that came late may meet the next statement, as with Postgres
        let _ = self.wire().query("SELECT 1").unwrap();
    }
}
