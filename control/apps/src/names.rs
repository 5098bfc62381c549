//! Names of instances: the lowest number that no living instance of the app has.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

#[derive(Debug, Clone, Default)]
pub(crate) struct Names(Arc<Mutex<BTreeSet<usize>>>);

/// A name, free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Name {
    pub(crate) text: Arc<str>,
    number: usize,
    names: Names,
}

impl Names {
    pub(crate) fn take(&self, app: &str) -> Name {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = (1..).find(|number| !taken.contains(number)).expect("numbers do not end");
        taken.insert(number);
        Name { text: format!("{app}.{number}").into(), number, names: self.clone() }
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        self.names.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_free_number_is_taken() {
        let names = Names::default();
        let first = names.take("shop");
        let second = names.take("shop");
        assert_eq!((&*first.text, &*second.text), ("shop.1", "shop.2"));
        drop(first);
        assert_eq!(&*names.take("shop").text, "shop.1");
    }
}
