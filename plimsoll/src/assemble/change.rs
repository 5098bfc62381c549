//! From the doors that run to those of a new file, so that it can be undone.

use std::sync::Arc;
use std::time::Duration;

use super::databases::{Databases, Door, Joined, drain};
use super::reachable;
use crate::file::Plan;

/// The doors of a new file beside those of the old that it leaves out. Dropped without [`Prepared::commit`] or
/// [`Prepared::abandon`] it leaves both.
pub(crate) struct Prepared {
    databases: Databases,
    before: Joined,
    after: Joined,
    /// Whose sockets went to which new door.
    handed: Vec<(Door, Arc<str>)>,
    /// Doors whose plan names files that hold something new.
    renewed: Vec<Arc<str>>,
    deadline: Duration,
}

impl Databases {
    /// Opens what `new` adds and changes what it changes; clients of before are still let in.
    ///
    /// It waits for every loop: not for a thread that control needs.
    ///
    /// # Errors
    /// Why that cannot be; nothing has changed then.
    pub(crate) fn prepare(&self, new: &Plan) -> Result<Prepared, String> {
        let before = self.now();
        keeps_its_data(new, &before)?;
        let after = Joined { postgres: before.postgres.clone(), doors: Vec::new() };
        let mut prepared =
            Prepared { databases: self.clone(), before, after, handed: Vec::new(), renewed: Vec::new(), deadline: new.http.timeout.drain };
        match prepared.bring_in(new) {
            Ok(()) => Ok(prepared),
            Err(reason) => {
                prepared.abandon();
                Err(reason)
            }
        }
    }
}

impl Prepared {
    /// The doors as they will be.
    pub(crate) fn after(&self) -> &Joined {
        &self.after
    }

    /// Doors of before whose files were read again: a certificate was renewed.
    pub(crate) fn renewed(&self) -> &[Arc<str>] {
        &self.renewed
    }

    /// Doors that the new file leaves out.
    fn left(&self) -> impl Iterator<Item = &Door> {
        self.before.doors.iter().filter(|door| self.after.door(&door.plan.name).is_none())
    }

    /// Says of each section that is gone, which a renamed one is, too, that its data are not, and how to have them again.
    pub(crate) fn left_behind(&self) -> Vec<String> {
        let holds_data = self.before.postgres.as_ref().is_some_and(postgres::Handle::holds_data);
        let left = self.left().filter(|door| holds_data && door.plan.primary.is_none());
        left.map(|door| in_words(&door.plan.name)).collect()
    }

    fn bring_in(&mut self, new: &Plan) -> Result<(), String> {
        self.databases.setup.embedded(new, &mut self.after)?;
        for plan in &new.sql {
            let door = match self.before.door(&plan.name).cloned() {
                Some(known) => self.changed(&known, plan)?,
                None => self.added(new, plan)?,
            };
            self.after.doors.push(door);
        }
        Ok(())
    }

    fn added(&mut self, new: &Plan, plan: &sql::Plan) -> Result<Door, String> {
        match self.holder(plan) {
            Some(holder) if leaves(holder, new) && holder.plan.primary == plan.primary => self.take_over(&holder.clone(), plan),
            Some(holder) if plan.listen.written => Err(held(plan, holder)),
            _ => self.databases.setup.open(plan, self.databases.setup.listen(plan)?, &self.after),
        }
    }

    /// The door of another name that listens now where `plan` will.
    fn holder(&self, plan: &sql::Plan) -> Option<&Door> {
        let listens = |door: &&Door| door.plan.name != plan.name && door.handle.addresses().contains(&plan.listen.address);
        self.before.doors.iter().find(listens)
    }

    /// A door in the place of one that leaves, before the same server. Until the commit those come in, too, who could there.
    fn take_over(&mut self, holder: &Door, plan: &sql::Plan) -> Result<Door, String> {
        let shared = holder.handle.share_listener().map_err(|error| format!("sql.{}: {error}", plan.name))?;
        let listener = shared.ok_or_else(|| held(plan, holder))?;
        let (complete, _) = self.after.complete(plan, None)?;
        let door = self.databases.setup.open(&admitting(plan, &holder.plan), listener, &self.after)?;
        holder.handle.close_entrance();
        self.handed.push((holder.clone(), plan.name.clone()));
        Ok(Door { plan: complete, ..door })
    }

    /// A door that stays. Until the commit those come in, too, who could before, and where they could.
    fn changed(&mut self, known: &Door, plan: &sql::Plan) -> Result<Door, String> {
        let (plan, database) = self.after.complete(plan, Some(known))?;
        let is_renewed = known.handle.has_renewed_files();
        if is_renewed {
            self.renewed.push(plan.name.clone());
        }
        if plan == known.plan && !is_renewed {
            return Ok(known.clone());
        }
        // A default that had to give way is none any more once it is written.
        let gave_way = plan.listen.written && plan.listen.address.port() != 0 && !known.handle.addresses().contains(&plan.listen.address);
        let is_moved = plan.listen.address != known.plan.listen.address || gave_way;
        if let Some(holder) = self.holder(&plan).filter(|_| is_moved && plan.listen.written) {
            return Err(held(&plan, holder));
        }
        let both = sql::Plan { listen: known.plan.listen.clone(), ..admitting(&plan, &known.plan) };
        let door = Door { plan, database, ..known.clone() };
        swap(&door, both)?;
        if !is_moved {
            return Ok(door);
        }
        match door.handle.listen_too(door.plan.listen.address) {
            Ok(address) => Ok(Door { address: reachable(address), ..door }),
            Err(error) => {
                swap(known, known.plan.clone())?;
                Err(format!("sql.{}: {error}", door.plan.name))
            }
        }
    }

    /// Goes over: what only the old file lets in comes in no more, and doors that it alone had are drained in the background.
    ///
    /// Returns why doors go on as they were prepared, with what the old file let in; the others have gone over.
    pub(crate) fn commit(self) -> Vec<String> {
        let mut failed = Vec::new();
        for door in &self.after.doors {
            let is_changed = self.before.door(&door.plan.name).is_some_and(|before| before.plan != door.plan);
            if is_changed || self.handed.iter().any(|(_, to)| *to == door.plan.name) {
                failed.extend(swap(door, door.plan.clone()).err());
            }
        }
        let left: Vec<Door> = self.left().cloned().collect();
        self.databases.set(self.after);
        tokio::spawn(drain(left, self.deadline));
        failed
    }

    /// The sockets that `to` had of `holder`.
    fn hand_back(&self, holder: &Door, to: &str) {
        let shared = self.after.door(to).map_or(Ok(None), |door| door.handle.share_listener());
        match shared {
            Ok(Some(listener)) => holder.handle.open_entrance(listener),
            Ok(None) => {}
            Err(error) => self.databases.setup.log.error("reload", &format!("sql.{}: {error}", holder.plan.name)),
        }
    }

    /// Back to what ran before.
    pub(crate) fn abandon(self) {
        for door in &self.before.doors {
            let changed = self.after.door(&door.plan.name).is_some_and(|after| after.plan != door.plan);
            if changed && let Err(reason) = swap(door, door.plan.clone()) {
                self.databases.setup.log.error("reload", &reason);
            }
        }
        for (holder, to) in &self.handed {
            self.hand_back(holder, to);
        }
        let new: Vec<Door> = self.after.doors.into_iter().filter(|door| self.before.door(&door.plan.name).is_none()).collect();
        // A server that was started for it stays: the next try may want it.
        self.databases.set(Joined { postgres: self.after.postgres, doors: self.before.doors });
        tokio::spawn(drain(new, Duration::ZERO));
    }
}

/// A plan that lets in, too, whom `before` did.
fn admitting(plan: &sql::Plan, before: &sql::Plan) -> sql::Plan {
    let mut both = plan.clone();
    for (user, password) in &before.users {
        both.users.entry(user.clone()).or_insert_with(|| password.clone());
    }
    both
}

/// Whether the file has it no more.
fn leaves(door: &Door, new: &Plan) -> bool {
    !new.sql.iter().any(|plan| plan.name == door.plan.name)
}

fn in_words(name: &str) -> String {
    format!(
        "`[sql.{name}]` is gone from the file; its data stay on the embedded server and are there again with it (a section of another \
         name has other data: with both in the file `plimsoll db dump {name} FILE` and `plimsoll db restore NAME FILE` bring them over)"
    )
}

fn held(plan: &sql::Plan, holder: &Door) -> String {
    format!(
        "`sql.{}.listen`: {} is still that of `[sql.{}]`, which a reload gives only to a new name before the same server; write another \
         port, or stop Plimsoll and start it again",
        plan.name, plan.listen.address, holder.plan.name
    )
}

fn swap(door: &Door, plan: sql::Plan) -> Result<(), String> {
    door.handle.swap(plan, door.database.clone()).map_err(|error| format!("sql.{}: {error}", door.plan.name))
}

impl Joined {
    fn door(&self, name: &str) -> Option<&Door> {
        self.doors.iter().find(|door| *door.plan.name == *name)
    }
}

/// Another kind of server would make the data of before seem to be gone.
fn keeps_its_data(new: &Plan, before: &Joined) -> Result<(), String> {
    let comes_home = |plan: &&sql::Plan| plan.primary.is_none() && before.door(&plan.name).is_some_and(|door| door.plan.primary.is_some());
    if let Some(plan) = new.sql.iter().find(comes_home) {
        return Err(format!(
            "`sql.{0}.primary` is gone: the data are on that server, and the embedded one is another; `plimsoll db dump {0} FILE`, stop \
             Plimsoll, start it with the new file, then `plimsoll db restore {0} FILE`",
            plan.name
        ));
    }
    if !before.postgres.as_ref().is_some_and(postgres::Handle::holds_data) {
        return Ok(());
    }
    let moved = |plan: &&sql::Plan| plan.primary.is_some() && before.door(&plan.name).is_some_and(|door| door.plan.primary.is_none());
    match new.sql.iter().find(moved) {
        None => Ok(()),
        Some(plan) => Err(format!(
            "`sql.{0}.primary`: its data are on the embedded server and would seem to be gone; `plimsoll db dump {0} FILE`, stop Plimsoll, \
             start it with the new file, then `plimsoll db restore {0} FILE`",
            plan.name
        )),
    }
}
