//! The exceptions. A line here is a decision: it says why, and goes when its reason goes.

/// Files that may hold `unsafe`.
pub const UNSAFE: &[(&str, &str)] = &[];

/// Functions of more than 60 lines: a table that reads best in one piece.
pub const LONG_FUNCTIONS: &[(&str, &str, &str)] = &[];

/// Files of more than 400 lines without their tests.
pub const LONG_FILES: &[(&str, &str)] = &[];

/// Files that may hold a global which changes.
pub const GLOBALS: &[(&str, &str)] = &[
    ("base/loops/src/time.rs", "the timers of the thread, found by who sleeps as tokio finds those of its runtime"),
    ("bench/src/origin/exchange.rs", "numbers the connections of the origin, a program of its own"),
    ("testkit/src/plimsoll.rs", "numbers the marks of one test process"),
];

/// Crates of `base/` that see another one there.
pub const BASE_SEES: &[(&str, &str, &str)] = &[
    ("base/tls", "base/loops", "TLS is moved over the sockets of a loop"),
    ("base/tls", "base/settings", "every door's certificate is checked where the file names it"),
    ("base/tls", "base/telemetry", "how a moment is written"),
];
