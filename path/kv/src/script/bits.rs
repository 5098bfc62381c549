//! The library `bit`: operations on 32 bits.

use mlua::{Lua, Table, Value, Variadic};

use super::machine::number;
use super::raise::{Raise, native};

type Shift = fn(u32, u32) -> u32;
type Fold = fn(u32, u32) -> u32;

const FOLDS: [(&str, Fold); 3] = [("band", |a, b| a & b), ("bor", |a, b| a | b), ("bxor", |a, b| a ^ b)];
const SHIFTS: [(&str, Shift); 5] = [
    ("lshift", |bits, by| bits << by),
    ("rshift", |bits, by| bits >> by),
    ("arshift", |bits, by| ((bits as i32) >> by) as u32),
    ("rol", u32::rotate_left),
    ("ror", u32::rotate_right),
];

/// The lowest 32 bits of an argument, rounded to the nearest integer.
fn bits(lua: &Lua, args: &[Value], at: usize) -> Result<u32, Raise> {
    // Added to a number, it moves the bits of the integer to the end of the fraction.
    const SHIFTER: f64 = 6_755_399_441_055_744.0;
    Ok((number(lua, args, at)? + SHIFTER).to_bits() as u32)
}

fn signed(bits: u32) -> f64 {
    f64::from(bits as i32)
}

pub(super) fn table(lua: &Lua) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    table.raw_set("tobit", native(lua, |lua, args: Variadic<Value>| Ok(signed(bits(lua, &args, 1)?)))?)?;
    table.raw_set("bnot", native(lua, |lua, args: Variadic<Value>| Ok(signed(!bits(lua, &args, 1)?)))?)?;
    for (name, fold) in FOLDS {
        let run = native(lua, move |lua, args: Variadic<Value>| {
            let mut all = bits(lua, &args, 1)?;
            for at in 2..=args.len() {
                all = fold(all, bits(lua, &args, at)?);
            }
            Ok(signed(all))
        })?;
        table.raw_set(name, run)?;
    }
    for (name, shift) in SHIFTS {
        let run = native(lua, move |lua, args: Variadic<Value>| Ok(signed(shift(bits(lua, &args, 1)?, bits(lua, &args, 2)? & 31))))?;
        table.raw_set(name, run)?;
    }
    table.raw_set("bswap", native(lua, |lua, args: Variadic<Value>| Ok(signed(bits(lua, &args, 1)?.swap_bytes())))?)?;
    table.raw_set("tohex", native(lua, to_hex)?)?;
    Ok(table)
}

/// The last digits, 8 unless told otherwise; in capitals when their count is negative.
fn to_hex(lua: &Lua, args: Variadic<Value>) -> Result<String, Raise> {
    let value = bits(lua, &args, 1)?;
    let count = if args.len() < 2 { 8 } else { bits(lua, &args, 2)? as i32 };
    let digits = if count < 0 { format!("{value:08X}") } else { format!("{value:08x}") };
    Ok(digits[8 - count.unsigned_abs().min(8) as usize..].to_string())
}
