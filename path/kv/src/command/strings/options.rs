//! The options of `SET` and `GETEX`, and what an expiry stands for.

use crate::error::Fault;
use crate::frame::{Args, parse_int};
use crate::store::Ms;

/// Units of an expiry.
const UNITS: [&str; 4] = ["EX", "PX", "EXAT", "PXAT"];
/// The last moment that a key can expire at: some day in the year 10889.
pub(in crate::command) const LAST: Ms = (1 << 48) - 1;

/// What is to become of an expiry, as it was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ends<'a> {
    /// The key is overdue at a moment: a unit, and a number.
    At(&'static str, &'a [u8]),
    /// It stays.
    AsBefore,
    /// The key does not expire any more.
    Never,
}

/// The options of a command.
#[derive(Debug, Default)]
pub(super) struct Options<'a> {
    pub(super) ends: Option<Ends<'a>>,
    /// Only if the key is there, or only if it is not.
    pub(super) if_there: Option<bool>,
    /// What was there is told.
    pub(super) tells: bool,
}

impl<'a> Options<'a> {
    /// Reads those of `SET`, or of `GETEX`.
    pub(super) fn read(args: Args<'a>, of_set: bool) -> Result<Options<'a>, Fault> {
        let mut options = Options::default();
        let mut at = 0;
        while at < args.len() {
            match UNITS.into_iter().find(|unit| args.is(at, unit)) {
                Some(unit) if options.may_end(unit) && at + 1 < args.len() => {
                    at += 1;
                    options.ends = Some(Ends::At(unit, args.at(at)));
                }
                None if of_set => options.read_of_set(args, at)?,
                None if args.is(at, "PERSIST") && matches!(options.ends, None | Some(Ends::Never)) => options.ends = Some(Ends::Never),
                _ => return Err(Fault::SYNTAX),
            }
            at += 1;
        }
        Ok(options)
    }

    fn read_of_set(&mut self, args: Args<'a>, at: usize) -> Result<(), Fault> {
        if args.is(at, "KEEPTTL") && matches!(self.ends, None | Some(Ends::AsBefore)) {
            self.ends = Some(Ends::AsBefore);
        } else if args.is(at, "NX") && self.if_there != Some(true) {
            self.if_there = Some(false);
        } else if args.is(at, "XX") && self.if_there != Some(false) {
            self.if_there = Some(true);
        } else if args.is(at, "GET") {
            self.tells = true;
        } else {
            return Err(Fault::SYNTAX);
        }
        Ok(())
    }

    /// The same unit may be said again.
    fn may_end(&self, unit: &str) -> bool {
        match self.ends {
            None => true,
            Some(Ends::At(before, _)) => before == unit,
            Some(_) => false,
        }
    }
}

impl Ends<'_> {
    /// The moment that it stands for, if it is one.
    pub(super) fn moment(self, now: Ms, command: &str) -> Result<Option<Ms>, Fault> {
        let Ends::At(unit, number) = self else { return Ok(None) };
        let number = parse_int(number).ok_or(Fault::NOT_INTEGER)?;
        expiry(unit, number, now, command).map(Some)
    }
}

/// The moment that a number above zero stands for, in a unit of `SET`.
pub(in crate::command) fn expiry(unit: &str, number: i64, now: Ms, command: &str) -> Result<Ms, Fault> {
    let (scale, base) = match unit {
        "EX" => (1000, now),
        "PX" => (1, now),
        "EXAT" => (1000, 0),
        _ => (1, 0),
    };
    let moment = Some(number).filter(|number| *number > 0);
    let moment = moment.and_then(|number| number.checked_mul(scale)).and_then(|number| number.checked_add_unsigned(base));
    moment.map(|moment| moment.unsigned_abs().min(LAST)).ok_or_else(|| no_expiry(command))
}

/// What is said of a number that is no expiry.
pub(in crate::command) fn no_expiry(command: &str) -> Fault {
    Fault::made(format!("ERR invalid expire time in '{command}' command"))
}
