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
        let sources = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut out = Exposition::default();
        for source in sources {
            source.collect(&mut out);
        }
        out.finish()
    }
}
