//! `BITCOUNT` and `BITPOS`.

use super::range::{Bits, Unit};
use crate::command::strings::read;
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::store::View;

pub(super) fn count(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let Some(text) = read(view, args.at(1))? else {
        reply.int(0);
        return Ok(());
    };
    let bits = match args.len() {
        2 => Bits::of(text),
        4 | 5 => counted(text, args)?,
        _ => return Err(Fault::SYNTAX),
    };
    reply.int(bits.map_or(0, |bits| bits.ones(text)) as i64);
    Ok(())
}

fn counted(text: &[u8], args: Args<'_>) -> Result<Option<Bits>, Fault> {
    let (start, end) = (args.int(2)?, args.int(3)?);
    // Redis does not look at the unit any more then.
    if start < 0 && end < 0 && start > end {
        return Ok(None);
    }
    Ok(Bits::between(start, end, Unit::read(args, 4)?, text.len()))
}

/// `BITPOS`.
pub(super) fn find(view: &mut View<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    const NO_BIT: Fault = Fault::fixed("ERR The bit argument must be 1 or 0.");
    let is_one = match args.int(2)? {
        0 => false,
        1 => true,
        _ => return Err(NO_BIT),
    };
    let Some(text) = read(view, args.at(1))? else {
        reply.int(if is_one { -1 } else { 0 });
        return Ok(());
    };
    let bits = match args.len() {
        3 => Bits::of(text),
        4..=6 => searched(text, args)?,
        _ => return Err(Fault::SYNTAX),
    };
    // Behind a string whose end was not given there are zeros.
    let is_open = !is_one && args.len() < 5;
    let place = bits.and_then(|bits| bits.first(text, is_one).or_else(|| is_open.then_some(bits.to)));
    reply.int(place.map_or(-1, |place| place as i64));
    Ok(())
}

fn searched(text: &[u8], args: Args<'_>) -> Result<Option<Bits>, Fault> {
    let (start, unit) = (args.int(3)?, Unit::read(args, 5)?);
    let end = if args.len() > 4 { args.int(4)? } else { i64::MAX };
    Ok(Bits::between(start, end, unit, text.len()))
}
