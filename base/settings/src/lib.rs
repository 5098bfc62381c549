//! Source positions, units, problems and marks of plimsoll.toml.
