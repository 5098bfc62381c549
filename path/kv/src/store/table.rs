//! Handles by the hash of their names, in segments that split one at a time.
