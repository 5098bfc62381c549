use super::{Number, ServerName, name_of, number_of};

/// Numbers that are closed at once; more would be the next client's wait.
const AT_ONCE: usize = 64;

/// A name of a client's at a server, as it was lent once; never used twice on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Loan(u32);

/// What is to be closed at a server, because nobody is to find it there or nobody needs it.
#[derive(Debug, Default)]
pub(super) struct Doomed {
    /// Of clients, lent for a while.
    names: Vec<(Box<[u8]>, Loan)>,
    loans: u32,
    numbers: Vec<Number>,
}

impl Doomed {
    /// A client has lent this name.
    pub(super) fn add(&mut self, name: &[u8]) -> Loan {
        self.loans = self.loans.wrapping_add(1);
        let loan = Loan(self.loans);
        self.names.push((name.into(), loan));
        loan
    }

    /// The server did not take it.
    pub(super) fn end(&mut self, loan: Loan) {
        self.names.retain(|(_, of)| *of != loan);
    }

    /// It was to be closed and is not.
    pub(super) fn put_back(&mut self, name: &[u8]) {
        match number_of(name) {
            Some(number) => self.numbers.push(number),
            None => drop(self.add(name)),
        }
    }

    pub(super) fn add_number(&mut self, number: Number) {
        self.numbers.push(number);
    }

    pub(super) fn has(&self, name: &[u8]) -> bool {
        self.names.iter().any(|(doomed, _)| **doomed == *name)
    }

    /// Takes `name` out; whether it was there.
    pub(super) fn remove(&mut self, name: &[u8]) -> bool {
        let before = self.names.len() + self.numbers.len();
        self.names.retain(|(doomed, _)| **doomed != *name);
        if let Some(number) = number_of(name) {
            self.numbers.retain(|doomed| *doomed != number);
        }
        self.names.len() + self.numbers.len() < before
    }

    /// The next name of a client's.
    pub(super) fn next_name(&mut self) -> Option<Box<[u8]>> {
        self.names.pop().map(|(name, _)| name)
    }

    /// Some of the numbers: those that are closed before a batch.
    pub(super) fn next_numbers(&mut self) -> impl DoubleEndedIterator<Item = ServerName> {
        let from = self.numbers.len().saturating_sub(AT_ONCE);
        self.numbers.drain(from..).map(name_of)
    }

    /// The next number, if there are too many of them for one batch.
    pub(super) fn next_of_many(&mut self) -> Option<ServerName> {
        (self.numbers.len() > AT_ONCE).then(|| self.numbers.pop()).flatten().map(name_of)
    }

    pub(super) fn clear(&mut self) {
        self.names.clear();
        self.numbers.clear();
    }
}
