//! The keeper: parent of everything Plimsoll runs.
