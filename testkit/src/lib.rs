//! Development only: a Plimsoll under test, raw clients, fake apps.
