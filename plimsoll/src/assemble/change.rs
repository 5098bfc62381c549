//! From the doors that run to those of a new file, so that it can be undone.

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
        let mut prepared = Prepared { databases: self.clone(), before, after, deadline: new.http.timeout.drain };
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

    fn bring_in(&mut self, new: &Plan) -> Result<(), String> {
        let setup = self.databases.setup.clone();
        setup.embedded(new, &mut self.after)?;
        for plan in &new.sql {
            let door = match self.before.door(&plan.name) {
                Some(known) => self.changed(known, plan)?,
                None => {
                    self.is_free(plan)?;
                    setup.open(plan, setup.listen(plan)?, &self.after)?
                }
            };
            self.after.doors.push(door);
        }
        Ok(())
    }

    /// A door that leaves has its address until it is drained.
    fn is_free(&self, new: &sql::Plan) -> Result<(), String> {
        let address = new.listen.address;
        let holder = self.before.doors.iter().find(|door| new.listen.written && address.port() != 0 && door.plan.listen.address == address);
        holder.map_or(Ok(()), |holder| {
            Err(format!(
                "`sql.{}.listen`: {address} is still that of `[sql.{}]`, and a reload does not hand it over; write another port, or stop \
                 Plimsoll and start it again",
                new.name, holder.plan.name
            ))
        })
    }

    /// A door that stays. Until the commit those come in, too, who could before, and where they could.
    fn changed(&self, known: &Door, plan: &sql::Plan) -> Result<Door, String> {
        let (plan, database) = self.after.complete(plan, Some(known))?;
        if plan == known.plan {
            return Ok(known.clone());
        }
        let mut both = sql::Plan { listen: known.plan.listen.clone(), ..plan.clone() };
        for (user, password) in &known.plan.users {
            both.users.entry(user.clone()).or_insert_with(|| password.clone());
        }
        let door = Door { plan, database, ..known.clone() };
        swap(&door, both)?;
        if door.plan.listen.address == known.plan.listen.address {
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
    pub(crate) fn commit(self) -> Result<(), String> {
        for door in &self.after.doors {
            if self.before.door(&door.plan.name).is_some_and(|before| before.plan != door.plan) {
                swap(door, door.plan.clone())?;
            }
        }
        let left: Vec<Door> = self.before.doors.iter().filter(|door| self.after.door(&door.plan.name).is_none()).cloned().collect();
        self.databases.set(self.after);
        tokio::spawn(drain(left, self.deadline));
        Ok(())
    }

    /// Back to what ran before.
    pub(crate) fn abandon(self) {
        for door in &self.before.doors {
            let changed = self.after.door(&door.plan.name).is_some_and(|after| after.plan != door.plan);
            if changed && let Err(reason) = swap(door, door.plan.clone()) {
                self.databases.setup.log.error("reload", &reason);
            }
        }
        let new: Vec<Door> = self.after.doors.into_iter().filter(|door| self.before.door(&door.plan.name).is_none()).collect();
        // A server that was started for it stays: the next try may want it.
        self.databases.set(Joined { postgres: self.after.postgres, doors: self.before.doors });
        tokio::spawn(drain(new, Duration::ZERO));
    }
}

fn swap(door: &Door, plan: sql::Plan) -> Result<(), String> {
    door.handle.swap(plan, door.database.clone()).map_err(|error| format!("sql.{}: {error}", door.plan.name))
}

impl Joined {
    fn door(&self, name: &str) -> Option<&Door> {
        self.doors.iter().find(|door| *door.plan.name == *name)
    }
}

/// A `primary` before data of the embedded server would make them seem to be gone.
fn keeps_its_data(new: &Plan, before: &Joined) -> Result<(), String> {
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
