//! Metrics, log lines, trace context, and the limits that this process is measured by.
//!
//! A tier keeps its own counters (a cell per core, plain relaxed stores) and gives them out as a [`Collect`];
//! nothing is summed before somebody asks. Log lines go through a bounded queue to one writing thread, so
//! that a slow terminal or disk never stops a loop.

mod control_group;
mod exposition;
mod files;
mod histogram;
mod log;
mod registry;
mod rotate;
mod screen;
mod tail;
mod timestamp;
mod trace;

pub use control_group::{ControlGroup, GroupCpu, GroupMemory};
pub use exposition::{Exposition, Kind};
pub use files::{FilesAndStderr, LINE_LIMIT, LogHealth};
pub use histogram::{Histogram, LATENCY_BOUNDS};
pub use log::{Level, Log, LogWriter, Sink};
pub use registry::{Collect, Registry};
pub use rotate::Rotation;
pub use tail::{Follow, LogLine, last_lines, streams};
pub use timestamp::{TIMESTAMP_LENGTH, rfc3339};
pub use trace::{Ids, trace_of};
