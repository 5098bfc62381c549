//! From the stores that run to those of a new file, so that it can be undone.

use std::sync::Arc;
use std::time::Duration;

use super::{Setup, Store, Stores, drain, reachable};
use crate::file::Plan;

/// The doors of a new file beside those of the old. Dropped without [`Prepared::commit`] or [`Prepared::abandon`] it leaves both.
pub(crate) struct Prepared {
    stores: Stores,
    before: Vec<Store>,
    after: Vec<Store>,
    /// Which new door will have the sockets of which old one.
    takes: Vec<(Arc<str>, Store)>,
    deadline: Duration,
}

impl Stores {
    /// Opens what `new` adds, and where doors move; all that clients see else is as before until the commit.
    ///
    /// # Errors
    /// Why that cannot be; nothing has changed then.
    pub(crate) fn prepare(&self, new: &Plan) -> Result<Prepared, String> {
        let (before, deadline) = (self.now(), new.http.timeout.drain);
        let mut prepared = Prepared { stores: self.clone(), before, after: Vec::new(), takes: Vec::new(), deadline };
        let brought_in = new.kv.iter().try_for_each(|plan| {
            let store = match of(&prepared.before, &plan.name).cloned() {
                Some(known) => prepared.changed(&known, plan)?,
                None => prepared.added(new, plan)?,
            };
            prepared.after.push(store);
            Ok(())
        });
        match brought_in {
            Ok(()) => Ok(prepared),
            Err(reason) => {
                prepared.abandon();
                Err(reason)
            }
        }
    }
}

impl Prepared {
    /// The stores as they will be.
    pub(crate) fn after(&self) -> &[Store] {
        &self.after
    }

    /// Says of each section that is gone, which a renamed one is, too, that its keys are.
    pub(crate) fn left_behind(&self) -> Vec<String> {
        let told = self.left().filter_map(|store| match store.handle.counts().keys {
            0 => None,
            keys if store.plan.persist != kv::When::Off => {
                let many = if keys == 1 { "its key is".into() } else { format!("its {keys} keys are") };
                Some(format!("`[kv.{}]` is gone from the file; {many} saved under `state`, and there again with it", store.plan.name))
            }
            1 => Some(format!("`[kv.{}]` is gone from the file, and its key with it", store.plan.name)),
            keys => Some(format!("`[kv.{}]` is gone from the file, and its {keys} keys with it", store.plan.name)),
        });
        told.collect()
    }

    /// Stores that the new file leaves out.
    fn left(&self) -> impl Iterator<Item = &Store> {
        self.before.iter().filter(|store| of(&self.after, &store.plan.name).is_none())
    }

    /// A store that stays; it may listen elsewhere, too, until the commit.
    fn changed(&self, known: &Store, plan: &kv::Plan) -> Result<Store, String> {
        let (wanted, is_written) = (plan.listen.address, plan.listen.written);
        // A default that had to give way is none any more once it is written.
        let gave_way = is_written && wanted.port() != 0 && known.handle.address() != Some(wanted);
        let is_moved = wanted != known.plan.listen.address || gave_way;
        if let Some(holder) = self.holder(plan).filter(|_| is_moved && is_written) {
            return Err(held(plan, holder));
        }
        let store = Store { plan: plan.clone(), ..known.clone() };
        if !is_moved {
            return Ok(store);
        }
        let address = store.handle.listen_too(wanted).map_err(|error| format!("kv.{}: {error}", plan.name))?;
        Ok(Store { address: reachable(address), ..store })
    }

    fn added(&mut self, new: &Plan, plan: &kv::Plan) -> Result<Store, String> {
        let setup = self.stores.setup.clone();
        // An address for clients of memcached that another store has now goes over to this one at the commit.
        let is_held = plan.memcached.is_some() && self.before.iter().any(|store| store.plan.memcached == plan.memcached);
        let first = kv::Plan { memcached: plan.memcached.filter(|_| !is_held), ..plan.clone() };
        let store = self.opened(new, &first, setup)?;
        Ok(Store { plan: plan.clone(), ..store })
    }

    fn opened(&mut self, new: &Plan, plan: &kv::Plan, setup: Arc<Setup>) -> Result<Store, String> {
        match self.holder(plan).cloned() {
            // Until the commit those who come there are the other's.
            Some(holder) if !new.kv.iter().any(|plan| plan.name == holder.plan.name) => {
                self.takes.push((plan.name.clone(), holder));
                setup.open(plan, None)
            }
            Some(holder) if plan.listen.written => Err(held(plan, &holder)),
            _ => setup.open(plan, Some(setup.listen(plan)?)),
        }
    }

    /// The store of another name that listens now where `plan` will.
    fn holder(&self, plan: &kv::Plan) -> Option<&Store> {
        self.before.iter().find(|store| store.plan.name != plan.name && store.handle.address() == Some(plan.listen.address))
    }

    /// Goes over; stores that only the old file had are drained in the background, and their keys are gone then.
    ///
    /// Returns why doors go on as they did before; the others have gone over.
    pub(crate) fn commit(self) -> Vec<String> {
        let mut failed = Vec::new();
        self.give_memcached();
        for store in &self.after {
            let is_changed = of(&self.before, &store.plan.name).is_some_and(|before| before.plan != store.plan);
            // A certificate may have been renewed.
            if (is_changed || store.plan.tls.is_some())
                && let Err(error) = store.handle.swap(store.plan.clone())
            {
                failed.push(format!("kv.{}: {error}", store.plan.name));
            }
        }
        for (name, holder) in &self.takes {
            if let (Some(store), Some(mut listener)) = (of(&self.after, name), holder.handle.close_entrance()) {
                listener.asked = store.plan.listen.address;
                store.handle.open_entrance(listener);
            }
        }
        let left: Vec<Store> = self.left().cloned().collect();
        self.stores.set(self.after);
        tokio::spawn(drain(left, self.deadline));
        failed
    }

    /// Addresses for clients of memcached go from stores that do without to those that have them now.
    fn give_memcached(&self) {
        let leaves = |store: &&Store| of(&self.after, &store.plan.name).is_none_or(|after| after.plan.memcached != store.plan.memcached);
        for holder in self.before.iter().filter(leaves) {
            let takes = |store: &&Store| holder.plan.memcached.is_some() && store.plan.memcached == holder.plan.memcached;
            if let Some(store) = self.after.iter().find(takes)
                && let Some(listener) = holder.handle.close_memcached()
            {
                store.handle.open_memcached(listener);
            }
        }
    }

    /// Back to what ran before.
    pub(crate) fn abandon(self) {
        self.before.iter().for_each(|store| store.handle.stay());
        let is_new = |store: &Store| of(&self.before, &store.plan.name).is_none();
        let new: Vec<Store> = self.after.iter().filter(|store| is_new(store)).cloned().collect();
        tokio::spawn(drain(new, Duration::ZERO));
    }
}

fn of<'s>(stores: &'s [Store], name: &str) -> Option<&'s Store> {
    stores.iter().find(|store| *store.plan.name == *name)
}

fn held(plan: &kv::Plan, holder: &Store) -> String {
    format!(
        "`kv.{}.listen`: {} is still that of `[kv.{}]`; write another port, or stop Plimsoll and start it again",
        plan.name, plan.listen.address, holder.plan.name
    )
}
