//! What a Redis says, taken apart.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use super::Order;

/// A connection.
pub(super) struct Wire(BufReader<TcpStream>);

/// An answer: its line, with the bytes of a text; and its elements.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Node {
    head: String,
    elements: Vec<Node>,
}

impl Wire {
    pub(super) fn open(port: &str) -> Wire {
        Wire(BufReader::new(TcpStream::connect(format!("127.0.0.1:{port}")).expect("a redis-server listens")))
    }

    pub(super) fn ask(&mut self, words: &[&str]) -> Node {
        let mut text = format!("*{}\r\n", words.len());
        words.iter().for_each(|word| text += &format!("${}\r\n{word}\r\n", word.len()));
        self.0.get_mut().write_all(text.as_bytes()).expect("it is there");
        Node::read(&mut self.0)
    }

    /// What was published since this was asked last.
    pub(super) fn events(&mut self) -> Vec<String> {
        let mut events = Vec::new();
        let mut node = self.ask(&["PING"]);
        while node.elements.len() == 4 {
            let word = |at: usize| node.elements[at].head.trim_start_matches('$').to_string();
            let (channel, key) = (word(2), word(3));
            events.push(format!("{} {key}", channel.trim_start_matches("__keyevent@0__:")));
            node = Node::read(&mut self.0);
        }
        events
    }
}

impl Node {
    pub(super) fn parse(mut bytes: &[u8]) -> Node {
        let node = Node::read(&mut bytes);
        assert!(bytes.is_empty(), "an answer ends where it says: {}", bytes.escape_ascii());
        node
    }

    fn read(from: &mut impl BufRead) -> Node {
        let mut line = String::new();
        from.read_line(&mut line).expect("an answer comes");
        let line = line.trim_end_matches("\r\n").to_string();
        let (sigil, rest) = line.split_at(1);
        let count = || rest.parse::<i64>().expect("it is a count");
        match sigil {
            "$" if count() >= 0 => {
                let mut text = vec![0; count() as usize + 2];
                from.read_exact(&mut text).expect("all of it comes");
                // Each byte a letter: none is lost.
                let text: String = text[..text.len() - 2].iter().map(|byte| char::from(*byte)).collect();
                Node { head: format!("${text}"), elements: Vec::new() }
            }
            "*" | "~" | ">" | "%" if count() >= 0 => {
                let count = if sigil == "%" { count() * 2 } else { count() };
                Node { head: sigil.into(), elements: (0..count).map(|_| Node::read(from)).collect() }
            }
            _ => Node { head: line, elements: Vec::new() },
        }
    }

    /// As it is compared.
    pub(super) fn ordered(mut self, order: Order) -> Node {
        match order {
            Order::Same => {}
            Order::Any => {
                self.elements = self.elements.into_iter().map(|node| node.ordered(order)).collect();
                self.elements.sort();
            }
            Order::Sign if !self.head.starts_with(":-") => self.head.truncate(1),
            Order::Sign => {}
            Order::Times => self.forget_times(),
            // In RESP3 pairs are lists in a list.
            Order::Pairs if self.elements.first().is_some_and(|node| !node.elements.is_empty()) => self.elements.sort(),
            Order::Pairs => {
                let mut pairs: Vec<Vec<Node>> = self.elements.chunks(2).map(<[Node]>::to_vec).collect();
                pairs.sort();
                self.elements = pairs.into_iter().flatten().collect();
            }
            Order::Length => self.elements.iter_mut().for_each(|node| *node = Node { head: String::new(), elements: Vec::new() }),
        }
        if order == Order::Length && self.elements.is_empty() && self.head.starts_with('$') {
            self.head.truncate(1);
        }
        self
    }

    /// Makes the times in what `XPENDING` and `XINFO` tell the same.
    fn forget_times(&mut self) {
        self.elements.iter_mut().for_each(Node::forget_times);
        let is_int = |node: &Node| node.head.starts_with(':');
        let time = match &self.elements[..] {
            [_, time, count] if is_int(time) && is_int(count) => Some(1),
            [_, _, time, count] if is_int(time) && is_int(count) => Some(2),
            _ => self.elements.iter().position(|node| matches!(&*node.head, "$idle" | "$seen-time")).map(|name| name + 1),
        };
        if let Some(time) = time {
            self.elements[time].head = ":".into();
        }
    }
}
