//! Runs the user's apps: build, start, watch, roll, stop.
