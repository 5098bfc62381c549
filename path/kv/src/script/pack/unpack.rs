//! MessagePack to Lua's values.

use mlua::{Lua, MultiValue, Table, Value};

use super::super::machine::text;
use super::super::raise::Raise;

/// Lists in lists that are read, where Redis goes on until C's stack ends.
const DEEPEST: usize = 5_000;
/// Values at once: what Lua's stack has room for.
const RESULTS: usize = 7_900;

struct Cursor<'c> {
    lua: &'c Lua,
    rest: &'c [u8],
}

/// All values in the bytes that are the first argument; with `most` or `from` only so many from there on, and first where the next is.
pub(super) fn all(lua: &Lua, args: &[Value], most: f64, from: f64) -> Result<MultiValue, Raise> {
    let given = text(lua, args, 1)?;
    let bytes = given.as_bytes();
    let (most, from) = (most as i64, from as i64);
    if from < 0 || most < 0 {
        let text = format!("Invalid request to unpack with offset of {} and limit of {}.", from as i32, bytes.len() as i32);
        return Err(Raise::Text(text));
    }
    let Some(rest) = bytes.get(from as usize..) else {
        return Err(Raise::Text(format!("Start offset {} greater than input length {}.", from as i32, bytes.len())));
    };
    let is_all = most == 0 && from == 0;
    let most = if is_all { i32::MAX as usize } else { most as usize };
    let (mut cursor, mut values) = (Cursor { lua, rest }, Vec::new());
    while !cursor.rest.is_empty() && values.len() < most {
        if values.len() > RESULTS {
            let text = "stack overflow (too many return values at once; use unpack_one or unpack_limit instead.)";
            return Err(Raise::Text(text.into()));
        }
        values.push(cursor.value(0)?);
    }
    if !is_all {
        let next = if cursor.rest.is_empty() { -1 } else { (bytes.len() - cursor.rest.len()) as i64 };
        values.insert(0, Value::Integer(next));
    }
    Ok(MultiValue::from_vec(values))
}

impl Cursor<'_> {
    fn take(&mut self, length: usize) -> Result<&[u8], Raise> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or_else(|| Raise::Text("Missing bytes in input.".into()))?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Raise> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn length(&mut self, bytes: usize) -> Result<usize, Raise> {
        Ok(self.take(bytes)?.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)))
    }

    fn bytes(&mut self, length: usize) -> Result<Value, Raise> {
        let lua = self.lua;
        Ok(Value::String(lua.create_string(self.take(length)?)?))
    }

    fn value(&mut self, depth: usize) -> Result<Value, Raise> {
        if depth > DEEPEST {
            return Err(Raise::Text("stack overflow (lists in lists)".into()));
        }
        let [tag] = self.array()?;
        let number = |number: f64| Ok(Value::Number(number));
        match tag {
            0x00..=0x7f => number(f64::from(tag)),
            0x80..=0x8f => self.map(usize::from(tag & 15), depth),
            0x90..=0x9f => self.list(usize::from(tag & 15), depth),
            0xa0..=0xbf => self.bytes(usize::from(tag & 31)),
            0xc0 => Ok(Value::Nil),
            0xc2 => Ok(Value::Boolean(false)),
            0xc3 => Ok(Value::Boolean(true)),
            0xca => number(f64::from(f32::from_be_bytes(self.array()?))),
            0xcb => number(f64::from_be_bytes(self.array()?)),
            0xcc => number(f64::from(u8::from_be_bytes(self.array()?))),
            0xcd => number(f64::from(u16::from_be_bytes(self.array()?))),
            0xce => number(f64::from(u32::from_be_bytes(self.array()?))),
            // As Redis has it: what is 2^63 or more becomes negative.
            0xcf => number(u64::from_be_bytes(self.array()?) as i64 as f64),
            0xd0 => number(f64::from(i8::from_be_bytes(self.array()?))),
            0xd1 => number(f64::from(i16::from_be_bytes(self.array()?))),
            0xd2 => number(f64::from(i32::from_be_bytes(self.array()?))),
            0xd3 => number(i64::from_be_bytes(self.array()?) as f64),
            0xd9..=0xdb => {
                let length = self.length(1 << (tag - 0xd9))?;
                self.bytes(length)
            }
            0xdc | 0xdd => {
                let length = self.length(2 << (tag - 0xdc))?;
                self.list(length, depth)
            }
            0xde | 0xdf => {
                let length = self.length(2 << (tag - 0xde))?;
                self.map(length, depth)
            }
            0xe0..=0xff => number(f64::from(tag as i8)),
            _ => Err(Raise::Text("Bad data format in input.".into())),
        }
    }

    fn list(&mut self, length: usize, depth: usize) -> Result<Value, Raise> {
        let table: Table = self.lua.create_table()?;
        for place in 1..=length {
            let value = self.value(depth + 1)?;
            if !value.is_nil() {
                table.raw_set(place, value)?;
            }
        }
        Ok(Value::Table(table))
    }

    fn map(&mut self, length: usize, depth: usize) -> Result<Value, Raise> {
        let table: Table = self.lua.create_table()?;
        for _ in 0..length {
            let key = self.value(depth + 1)?;
            let value = self.value(depth + 1)?;
            if key.is_nil() {
                return Err(Raise::Text("table index is nil".into()));
            }
            table.raw_set(key, value)?;
        }
        Ok(Value::Table(table))
    }
}
