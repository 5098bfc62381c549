//! What is known of the files, as metrics.

use telemetry::{Collect, Exposition};

use crate::door::Shared;

/// The files of a door.
pub(crate) struct Files(pub(crate) std::sync::Arc<Shared>);

impl Collect for Files {
    fn collect(&self, out: &mut Exposition) {
        let (persist, labels) = (&self.0.persist, [("store", &*self.0.events.name)]);
        if !persist.is_on() {
            return;
        }
        let changes = self.0.events.changes();
        let status = persist.status();
        let is_well = status.is_ok && !persist.log.is_broken();
        out.gauge("kv_persist_up", "1 while keys can be written to files.", &labels, f64::from(u8::from(is_well)));
        out.counter("kv_saves_total", "Times that all keys were saved.", &labels, status.saves);
        out.counter("kv_saves_failed_total", "Times that keys could not be saved.", &labels, status.failures);
        let saved_at = status.saved_at as f64 / 1000.0;
        out.gauge("kv_last_save_timestamp_seconds", "When all keys were saved last, or loaded.", &labels, saved_at);
        let unsaved = changes.saturating_sub(status.changes) as f64;
        out.gauge("kv_changes_since_save", "Changes of keys since then.", &labels, unsaved);
        out.gauge("kv_log_bytes", "Bytes of the log since then.", &labels, persist.log.written() as f64);
        out.gauge("kv_log_waiting_bytes", "Bytes of the log that wait to be written.", &labels, persist.log.waiting() as f64);
    }
}
