//! One loop per core, its listeners, its clock and its buffers.
