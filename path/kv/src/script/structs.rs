//! The library `struct`: values in bytes, as C lays them out.

use mlua::{Lua, MultiValue, Table, Value, Variadic};

use super::machine::{number, text};
use super::raise::{Raise, as_number, native};

/// Bytes of the longest integer.
const LONGEST: i32 = 32;
/// The alignment that `!` alone means.
const ALIGNED: i32 = 8;
/// Values that may be read at once: what Lua's stack has room for.
const RESULTS: usize = 7_900;

/// A format as it is read, with what it has set.
struct Format<'f> {
    rest: &'f [u8],
    is_big: bool,
    align: usize,
}

/// One option of a format.
struct Item {
    option: u8,
    size: usize,
}

impl<'f> Format<'f> {
    fn new(format: &'f [u8]) -> Format<'f> {
        // It ends where C sees its end.
        let end = memchr::memchr(0, format).unwrap_or(format.len());
        Format { rest: &format[..end], is_big: false, align: 1 }
    }

    fn next(&mut self) -> Result<Option<Item>, Raise> {
        let Some((option, rest)) = self.rest.split_first() else { return Ok(None) };
        self.rest = rest;
        let size = match option {
            b'b' | b'B' | b'x' => 1,
            b'h' | b'H' => 2,
            b'f' => 4,
            b'l' | b'L' | b'T' | b'd' => 8,
            b'c' => self.count(1)? as usize,
            b'i' | b'I' => match self.count(4)? {
                size if size > LONGEST => {
                    return Err(Raise::Text(format!("integral size {size} is larger than limit of {LONGEST}")));
                }
                size => size as usize,
            },
            _ => 0,
        };
        Ok(Some(Item { option: *option, size }))
    }

    /// The number that follows.
    fn count(&mut self, otherwise: i32) -> Result<i32, Raise> {
        let digits = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (number, rest) = self.rest.split_at(digits);
        self.rest = rest;
        if digits == 0 {
            return Ok(otherwise);
        }
        let number = number.iter().try_fold(0i32, |all, digit| all.checked_mul(10)?.checked_add(i32::from(digit - b'0')));
        number.ok_or_else(|| Raise::Text("integral size overflow".into()))
    }

    /// What must come before an item at `position`.
    fn padding(&self, position: usize, item: &Item) -> usize {
        if item.size == 0 || item.option == b'c' {
            return 0;
        }
        let size = item.size.min(self.align);
        size.wrapping_sub(position & size.wrapping_sub(1)) & size.wrapping_sub(1)
    }

    /// What is no value but says how the values lie.
    fn control(&mut self, option: u8) -> Result<(), Raise> {
        match option {
            b' ' => {}
            b'>' => self.is_big = true,
            b'<' => self.is_big = false,
            b'!' => match self.count(ALIGNED)? {
                align if align > 0 && align & (align - 1) == 0 => self.align = align as usize,
                align => return Err(Raise::Text(format!("alignment {align} is not a power of 2"))),
            },
            _ => return Err(Raise::Argument(1, format!("invalid format option '{}'", char::from(option)))),
        }
        Ok(())
    }

    /// Bytes in the order that holds, from those of a little end.
    fn ordered(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        if self.is_big {
            bytes.reverse();
        }
        bytes
    }
}

pub(super) fn table(lua: &Lua) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    table.raw_set("pack", native(lua, |lua, args: Variadic<Value>| Ok(lua.create_string(pack(lua, &args)?)?))?)?;
    table.raw_set("unpack", native(lua, |lua, args: Variadic<Value>| unpack(lua, &args))?)?;
    table.raw_set("size", native(lua, |lua, args: Variadic<Value>| size(lua, &args))?)?;
    Ok(table)
}

fn pack(lua: &Lua, args: &[Value]) -> Result<Vec<u8>, Raise> {
    let text_of_format = text(lua, args, 1)?;
    let bytes = text_of_format.as_bytes();
    let mut format = Format::new(&bytes);
    let (mut out, mut at, mut position) = (Vec::new(), 2, 0);
    while let Some(item) = format.next()? {
        let padding = format.padding(position, &item);
        out.resize(out.len() + padding, 0);
        position += padding + item.size;
        match item.option {
            b'b' | b'B' | b'h' | b'H' | b'l' | b'L' | b'T' | b'i' | b'I' => {
                let value = number(lua, args, at)?;
                let value = if value < 0.0 { value as i64 as u64 } else { value as u64 };
                let mut little = value.to_le_bytes().to_vec();
                little.resize(item.size, 0);
                out.extend(format.ordered(little));
                at += 1;
            }
            b'x' => out.push(0),
            b'f' => {
                out.extend(format.ordered((number(lua, args, at)? as f32).to_le_bytes().to_vec()));
                at += 1;
            }
            b'd' => {
                out.extend(format.ordered(number(lua, args, at)?.to_le_bytes().to_vec()));
                at += 1;
            }
            b'c' | b's' => {
                let given = text(lua, args, at)?;
                let given = given.as_bytes();
                at += 1;
                let length = if item.size == 0 { given.len() } else { item.size };
                let part = given.get(..length).ok_or_else(|| Raise::Argument(at, "string too short".into()))?;
                out.extend_from_slice(part);
                if item.size == 0 {
                    position += length;
                }
                if item.option == b's' {
                    out.push(0);
                    position += 1;
                }
            }
            option => format.control(option)?,
        }
    }
    Ok(out)
}

fn unpack(lua: &Lua, args: &[Value]) -> Result<MultiValue, Raise> {
    let (text_of_format, data) = (text(lua, args, 1)?, text(lua, args, 2)?);
    let (bytes, data) = (text_of_format.as_bytes(), data.as_bytes());
    let from = if args.get(2).is_none_or(Value::is_nil) { 1.0 } else { number(lua, args, 3)? };
    if (from as i64) < 1 {
        return Err(Raise::Argument(3, "offset must be 1 or greater".into()));
    }
    let short = || Raise::Argument(2, "data string too short".into());
    let (mut format, mut at, mut results) = (Format::new(&bytes), from as usize - 1, Vec::new());
    while let Some(item) = format.next()? {
        at += format.padding(at, &item);
        let mut part = data.get(at..).and_then(|rest| rest.get(..item.size)).ok_or_else(short)?;
        if results.len() > RESULTS {
            return Err(Raise::Text("stack overflow (too many results)".into()));
        }
        match item.option {
            b'b' | b'B' | b'h' | b'H' | b'l' | b'L' | b'T' | b'i' | b'I' => {
                results.push(Value::Number(integer(part, &format, item.option.is_ascii_lowercase())));
            }
            b'x' => {}
            b'f' => {
                let bytes = format.ordered(part.to_vec());
                results.push(Value::Number(f64::from(f32::from_le_bytes(bytes.try_into().map_err(|_| short())?))));
            }
            b'd' => {
                let bytes = format.ordered(part.to_vec());
                results.push(Value::Number(f64::from_le_bytes(bytes.try_into().map_err(|_| short())?)));
            }
            b'c' => {
                if item.size == 0 {
                    let length = results.pop().as_ref().and_then(as_number);
                    let length = length.ok_or_else(|| Raise::Text("format 'c0' needs a previous size".into()))?;
                    part = data.get(at..).and_then(|rest| rest.get(..length as usize)).ok_or_else(short)?;
                }
                results.push(Value::String(lua.create_string(part)?));
            }
            b's' => {
                let rest = &data[at..];
                let end = memchr::memchr(0, rest).ok_or_else(|| Raise::Text("unfinished string in data".into()))?;
                results.push(Value::String(lua.create_string(&rest[..end])?));
                at += 1;
                part = &rest[..end];
            }
            option => format.control(option)?,
        }
        at += part.len();
    }
    results.push(Value::Integer(at as i64 + 1));
    Ok(MultiValue::from_vec(results))
}

/// Of up to 32 bytes, of which 8 count.
fn integer(bytes: &[u8], format: &Format<'_>, is_signed: bool) -> f64 {
    let little = format.ordered(bytes.to_vec());
    let mut low = [0; 8];
    let length = little.len().min(8);
    low[..length].copy_from_slice(&little[..length]);
    let value = u64::from_le_bytes(low);
    match (is_signed, length) {
        (false, _) => value as f64,
        (true, 8) => value as i64 as f64,
        (true, 0) => 0.0,
        (true, length) => {
            let shift = 64 - length as u32 * 8;
            (((value << shift) as i64) >> shift) as f64
        }
    }
}

fn size(lua: &Lua, args: &[Value]) -> Result<i64, Raise> {
    let text_of_format = text(lua, args, 1)?;
    let bytes = text_of_format.as_bytes();
    let (mut format, mut position) = (Format::new(&bytes), 0usize);
    while let Some(item) = format.next()? {
        position += format.padding(position, &item);
        match item.option {
            b's' => return Err(Raise::Argument(1, "option 's' has no fixed size".into())),
            b'c' if item.size == 0 => return Err(Raise::Argument(1, "option 'c0' has no fixed size".into())),
            option if !option.is_ascii_alphanumeric() => format.control(option)?,
            _ => {}
        }
        position += item.size;
    }
    Ok(position as i64)
}
