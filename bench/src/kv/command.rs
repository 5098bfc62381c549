//! One kind of command: its bytes, with numbers in them that change from one to the next, and the answer that must come.

use crate::random::Random;

/// A word of a command.
#[derive(Debug, Clone, Copy)]
pub enum Word<'a> {
    Text(&'a str),
    /// Decimal digits after a prefix, of a number from `from` to below `below`.
    Number {
        prefix: &'a str,
        digits: usize,
        from: u64,
        below: u64,
    },
}

/// A command and its answer.
#[derive(Debug, Clone)]
pub struct Command {
    pub bytes: Vec<u8>,
    /// The numbers in them.
    numbers: Vec<Number>,
    pub answer: Answer,
}

#[derive(Debug, Clone)]
struct Number {
    at: usize,
    digits: usize,
    from: u64,
    below: u64,
}

/// What must come back.
#[derive(Debug, Clone)]
pub enum Answer {
    /// These bytes.
    Exactly(Vec<u8>),
    /// One of two.
    Either(Vec<u8>, Vec<u8>),
    /// `:` and a number.
    Number,
    /// As many bytes, with this beginning and this end.
    Framed { head: Vec<u8>, length: usize, tail: Vec<u8> },
}

/// What the bytes at hand are.
#[derive(Debug, PartialEq, Eq)]
pub enum Taken {
    /// They begin with an answer that is right, so long.
    Whole(usize),
    /// More must come.
    Part,
    Wrong,
}

/// A key, or whatever has one of `count` names, as redis-benchmark writes them.
pub fn one_of<'a>(prefix: &'a str, count: u64) -> Word<'a> {
    Word::Number { prefix, digits: 12, from: 0, below: count }
}

impl Command {
    /// In Redis's protocol.
    pub fn resp(words: &[Word], answer: Answer) -> Command {
        let mut command = Command { bytes: format!("*{}\r\n", words.len()).into_bytes(), numbers: Vec::new(), answer };
        for word in words {
            let length = match word {
                Word::Text(text) => text.len(),
                Word::Number { prefix, digits, .. } => prefix.len() + digits,
            };
            command.bytes.extend_from_slice(format!("${length}\r\n").as_bytes());
            command.push(*word);
            command.bytes.extend_from_slice(b"\r\n");
        }
        command
    }

    /// As these words stand, one after the other.
    pub fn plain(words: &[Word], answer: Answer) -> Command {
        let mut command = Command { bytes: Vec::new(), numbers: Vec::new(), answer };
        words.iter().for_each(|word| command.push(*word));
        command
    }

    fn push(&mut self, word: Word) {
        match word {
            Word::Text(text) => self.bytes.extend_from_slice(text.as_bytes()),
            Word::Number { prefix, digits, from, below } => {
                self.bytes.extend_from_slice(prefix.as_bytes());
                self.numbers.push(Number { at: self.bytes.len(), digits, from, below });
                self.bytes.resize(self.bytes.len() + digits, b'0');
            }
        }
    }

    /// Writes other numbers into `bytes`, a copy of the command's.
    pub fn vary(&self, bytes: &mut [u8], random: &mut Random) {
        for number in &self.numbers {
            let value = number.from + random.below(number.below - number.from);
            write(value, &mut bytes[number.at..number.at + number.digits]);
        }
    }

    /// Writes `value` into `bytes`, a copy of the command's, wherever a number is.
    pub fn fix(&self, bytes: &mut [u8], value: u64) {
        self.numbers.iter().for_each(|number| write(value, &mut bytes[number.at..number.at + number.digits]));
    }
}

/// In decimal, all of `space`.
fn write(mut value: u64, space: &mut [u8]) {
    for digit in space.iter_mut().rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

impl Answer {
    /// A text of Redis's protocol.
    pub fn text(text: &str) -> Vec<u8> {
        format!("${}\r\n{text}\r\n", text.len()).into_bytes()
    }

    /// Looks at what has come, which may be more than one answer.
    pub fn take(&self, bytes: &[u8]) -> Taken {
        match self {
            Answer::Exactly(right) => exactly(right, bytes),
            Answer::Either(one, other) => match exactly(one, bytes) {
                Taken::Wrong => exactly(other, bytes),
                taken => taken,
            },
            Answer::Number => match (bytes.first(), memchr::memchr(b'\n', bytes)) {
                (Some(b':'), Some(end)) => Taken::Whole(end + 1),
                (Some(b':') | None, None) => Taken::Part,
                _ => Taken::Wrong,
            },
            Answer::Framed { head, length, .. } if bytes.len() < *length => match exactly(head, bytes) {
                Taken::Wrong => Taken::Wrong,
                _ => Taken::Part,
            },
            Answer::Framed { head, length, tail } => {
                let whole = &bytes[..*length];
                if whole.starts_with(head) && whole.ends_with(tail) { Taken::Whole(*length) } else { Taken::Wrong }
            }
        }
    }
}

fn exactly(right: &[u8], bytes: &[u8]) -> Taken {
    if bytes.starts_with(right) {
        Taken::Whole(right.len())
    } else if right.starts_with(bytes) {
        Taken::Part
    } else {
        Taken::Wrong
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_written_once_and_its_numbers_again_and_again() {
        let life = Word::Number { prefix: "", digits: 4, from: 1000, below: 1002 };
        let command = Command::resp(&[Word::Text("SET"), one_of("key:", 20), life], Answer::Number);
        let mut bytes = command.bytes.clone();
        command.fix(&mut bytes, 15);
        assert_eq!(bytes, b"*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000015\r\n$4\r\n0015\r\n");
        let mut random = Random::seeded(1);
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..500 {
            command.vary(&mut bytes, &mut random);
            let text = std::str::from_utf8(&bytes).unwrap();
            seen.insert(text[22..34].parse::<u64>().unwrap());
            assert!(["1000", "1001"].contains(&&text[40..44]), "{text}");
        }
        assert_eq!(seen, (0..20).collect());
        assert_eq!(
            Command::plain(&[Word::Text("get "), one_of("k", 9), Word::Text("\r\n")], Answer::Number).bytes,
            b"get k000000000000\r\n"
        );
    }

    #[test]
    fn answers_are_right_or_wrong_as_soon_as_they_can_be() {
        let right = Answer::Exactly(b"+OK\r\n".to_vec());
        assert_eq!([right.take(b"+OK\r\n+OK"), right.take(b"+O"), right.take(b"-E")], [Taken::Whole(5), Taken::Part, Taken::Wrong]);
        let either = Answer::Either(Answer::text("abc"), b"$-1\r\n".to_vec());
        assert_eq!(
            [either.take(b"$3\r\nabc\r\n"), either.take(b"$-1\r\n$"), either.take(b"$"), either.take(b"$3\r\nabd\r\n")],
            [Taken::Whole(9), Taken::Whole(5), Taken::Part, Taken::Wrong]
        );
        assert_eq!([Answer::Number.take(b":12\r\n:"), Answer::Number.take(b":1")], [Taken::Whole(5), Taken::Part]);
        assert_eq!([Answer::Number.take(b""), Answer::Number.take(b"-ERR\r\n")], [Taken::Part, Taken::Wrong]);
        let framed = Answer::Framed { head: b"VALUE ".to_vec(), length: 12, tail: b"END\r\n".to_vec() };
        assert_eq!([framed.take(b"VALUE kEND\r\nV"), framed.take(b"VALUE k")], [Taken::Whole(12), Taken::Part]);
        assert_eq!([framed.take(b"END\r\n"), framed.take(b"VALUE kkkkkkk")], [Taken::Wrong, Taken::Wrong]);
    }
}
