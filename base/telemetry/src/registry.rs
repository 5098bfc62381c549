use std::sync::{Arc, Mutex, PoisonError};

use crate::Exposition;

/// Something that can write its metrics when asked.
pub trait Collect: Send + Sync {
    /// Writes every family of this tier, summed over cores, as they are now.
    fn collect(&self, out: &mut Exposition);
}

/// All that can be scraped, in the order it was added. Clones share the list.
#[derive(Clone, Default)]
pub struct Registry(Arc<Mutex<Vec<Arc<dyn Collect>>>>);

impl Registry {
    /// Adds a tier's metrics for the life of the process.
    pub fn add(&self, source: Arc<dyn Collect>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(source);
    }

    /// The Prometheus text of everything, families of one name joined (text format 0.0.4).
    pub fn render(&self) -> String {
        let mut out = Exposition::default();
        self.collect(&mut out);
        out.finish()
    }
}

/// A list within a list, for what may leave again: whoever holds it takes it out by leaving it out.
impl Collect for Registry {
    fn collect(&self, out: &mut Exposition) {
        let sources = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        sources.iter().for_each(|source| source.collect(out));
    }
}
