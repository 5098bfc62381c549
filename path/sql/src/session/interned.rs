//! Equal parameters are one piece of memory on a loop: thousands of clients share them, and equality is a pointer's.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Arc, Weak};

use super::parameters::{Parameters, Values};
use super::reported::Reported;

/// Entries below which nothing is cleared.
const FEW: usize = 64;

/// What the sessions of one loop share.
#[derive(Debug, Default)]
pub(crate) struct Interned {
    parameters: RefCell<Table<Parameters>>,
    reported: RefCell<Table<Reported>>,
}

#[derive(Debug)]
struct Table<T> {
    known: HashMap<u64, Weak<T>>,
    /// How many entries call for a look at which of them are still used.
    full: usize,
}

impl Interned {
    /// The parameters with these values.
    pub(crate) fn parameters(&self, values: Values) -> Arc<Parameters> {
        let new = Arc::new(Parameters::new(values));
        self.parameters.borrow_mut().share(new.hash(), new)
    }

    /// The same parameters, shared.
    pub(crate) fn shared(&self, parameters: &Arc<Parameters>) -> Arc<Parameters> {
        self.parameters.borrow_mut().share(parameters.hash(), parameters.clone())
    }

    /// The same, shared.
    pub(crate) fn reported(&self, reported: &Arc<Reported>) -> Arc<Reported> {
        self.reported.borrow_mut().share(reported.hash(), reported.clone())
    }
}

impl<T> Default for Table<T> {
    fn default() -> Table<T> {
        Table { known: HashMap::new(), full: FEW }
    }
}

impl<T: PartialEq> Table<T> {
    /// The known one that is equal, else `new`, known from now on.
    fn share(&mut self, hash: u64, new: Arc<T>) -> Arc<T> {
        if let Some(same) = self.known.get(&hash).and_then(Weak::upgrade).filter(|same| **same == *new) {
            return same;
        }
        self.known.insert(hash, Arc::downgrade(&new));
        if self.known.len() > self.full {
            self.known.retain(|_, weak| weak.strong_count() > 0);
            self.full = FEW.max(2 * self.known.len());
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(value: &str) -> Values {
        [("my.n".into(), value.as_bytes().into())].into()
    }

    #[test]
    fn equal_ones_are_one_on_a_loop_and_equal_between_loops() {
        let (here, there) = (Interned::default(), Interned::default());
        let one = here.parameters(values("1"));
        assert!(Arc::ptr_eq(&one, &here.parameters(values("1"))));
        assert!(!Arc::ptr_eq(&one, &here.parameters(values("2"))));
        let foreign = there.parameters(values("1"));
        assert!(one.is(&foreign) && Arc::ptr_eq(&one, &here.shared(&foreign)));
    }

    #[test]
    fn what_nobody_uses_is_forgotten() {
        let interned = Interned::default();
        let kept = interned.parameters(values("kept"));
        for n in 0..10 * FEW {
            interned.parameters(values(&n.to_string()));
        }
        assert!(interned.parameters.borrow().known.len() <= FEW + 1);
        assert!(Arc::ptr_eq(&kept, &interned.parameters(values("kept"))));
    }
}
