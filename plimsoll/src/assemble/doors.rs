//! The doors of databases and stores together, from one file to the next.

use std::sync::Arc;

use super::{Running, change, stores};
use crate::file::Plan;

/// Those of a new file beside those of the old, see [`change::Prepared`] and [`stores::Prepared`].
pub(crate) struct Prepared {
    databases: change::Prepared,
    stores: stores::Prepared,
}

impl Running {
    /// Opens and changes what `new` asks for, so that it can be undone. It waits for every loop: not for a thread that control needs.
    ///
    /// # Errors
    /// Why that cannot be; nothing has changed then.
    pub(crate) fn prepare(&self, new: &Plan) -> Result<Prepared, String> {
        let databases = self.databases.prepare(new)?;
        match self.stores.prepare(new) {
            Ok(stores) => Ok(Prepared { databases, stores }),
            Err(reason) => {
                databases.abandon();
                Err(reason)
            }
        }
    }
}

impl Prepared {
    /// The apps, each with the addresses of its database and its store as they will be.
    pub(crate) fn apps(&self, new: &Plan) -> Vec<apps::Plan> {
        stores::apps(self.stores.after(), new, self.databases.after().apps(new))
    }

    /// SQL doors of before whose files were read again: a certificate was renewed.
    pub(crate) fn renewed(&self) -> &[Arc<str>] {
        self.databases.renewed()
    }

    /// What becomes of the data of sections that are gone.
    pub(crate) fn left_behind(&self) -> Vec<String> {
        let mut lines = self.databases.left_behind();
        lines.extend(self.stores.left_behind());
        lines
    }

    /// Goes over; returns why doors go on as they were prepared.
    pub(crate) fn commit(self) -> Vec<String> {
        let mut failed = self.databases.commit();
        failed.extend(self.stores.commit());
        failed
    }

    /// Back to what ran before.
    pub(crate) fn abandon(self) {
        self.stores.abandon();
        self.databases.abandon();
    }
}
