use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use contract::{Endpoint, Endpoints};
use tokio::sync::watch;

/// Number of a set of instances that were started together.
pub(crate) type Batch = u64;

/// The live list of one app's endpoints, for the life of the app's name: the healthy ones of the admitted batches.
#[derive(Debug)]
pub(crate) struct Roster {
    list: watch::Sender<Arc<[Endpoint]>>,
    members: Mutex<Members>,
}

#[derive(Debug, Default)]
struct Members {
    admitted: BTreeSet<Batch>,
    healthy: Vec<(Batch, Endpoint)>,
}

impl Roster {
    pub(crate) fn new(admitted: BTreeSet<Batch>) -> Roster {
        let (list, _) = contract::endpoints(Vec::new());
        Roster { list, members: Mutex::new(Members { admitted, healthy: Vec::new() }) }
    }

    /// The reading side.
    pub(crate) fn endpoints(&self) -> Endpoints {
        self.list.subscribe()
    }

    /// An endpoint became healthy; it shows when its batch is admitted.
    pub(crate) fn join(&self, batch: Batch, endpoint: Endpoint) {
        self.edit(|members| members.healthy.push((batch, endpoint)));
    }

    /// An endpoint gets nothing new from now on.
    pub(crate) fn leave(&self, endpoint: &Endpoint) {
        self.edit(|members| members.healthy.retain(|(_, member)| !member.is(endpoint)));
    }

    /// Which batches show, in one step; returns those that did.
    pub(crate) fn admit(&self, batches: BTreeSet<Batch>) -> BTreeSet<Batch> {
        let mut before = BTreeSet::new();
        self.edit(|members| before = std::mem::replace(&mut members.admitted, batches));
        before
    }

    /// The batches that show.
    pub(crate) fn admitted(&self) -> BTreeSet<Batch> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner).admitted.clone()
    }

    /// Every endpoint of these batches, shown or not.
    pub(crate) fn of(&self, batches: &BTreeSet<Batch>) -> Vec<Endpoint> {
        let members = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        members.healthy.iter().filter(|(batch, _)| batches.contains(batch)).map(|(_, endpoint)| endpoint.clone()).collect()
    }

    /// Takes every endpoint of these batches out.
    pub(crate) fn forget(&self, batches: &BTreeSet<Batch>) {
        self.edit(|members| members.healthy.retain(|(batch, _)| !batches.contains(batch)));
    }

    fn edit(&self, edit: impl FnOnce(&mut Members)) {
        let mut members = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        edit(&mut members);
        let shown: Vec<Endpoint> =
            members.healthy.iter().filter(|(batch, _)| members.admitted.contains(batch)).map(|(_, endpoint)| endpoint.clone()).collect();
        self.list.send_if_modified(|list| {
            let same = list.len() == shown.len() && list.iter().zip(&shown).all(|(one, other)| one.is(other));
            if !same {
                *list = Arc::from(shown);
            }
            !same
        });
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn endpoint(name: &str) -> Endpoint {
        Endpoint::new(name, "127.0.0.1:1".parse().unwrap(), 1, Instant::now())
    }

    fn names(endpoints: &mut Endpoints) -> Vec<String> {
        endpoints.borrow_and_update().iter().map(|endpoint| endpoint.name.to_string()).collect()
    }

    #[test]
    fn a_batch_shows_in_one_step_and_can_be_taken_back() {
        let roster = Roster::new(BTreeSet::from([1]));
        let mut seen = roster.endpoints();
        let old = endpoint("shop.1");
        roster.join(1, old.clone());
        roster.join(2, endpoint("shop.2"));
        assert_eq!(names(&mut seen), ["shop.1"]);
        let before = roster.admit(BTreeSet::from([2]));
        assert_eq!(names(&mut seen), ["shop.2"]);
        roster.admit(before);
        assert_eq!(names(&mut seen), ["shop.1"]);
        roster.leave(&old);
        assert_eq!(names(&mut seen), Vec::<String>::new());
    }

    #[test]
    fn readers_wake_only_for_what_shows() {
        let roster = Roster::new(BTreeSet::from([1]));
        let mut seen = roster.endpoints();
        seen.borrow_and_update();
        roster.join(2, endpoint("shop.2"));
        assert!(!seen.has_changed().unwrap());
    }
}
