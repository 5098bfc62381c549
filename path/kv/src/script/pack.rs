//! The library `cmsgpack`: MessagePack (<https://msgpack.org>), as Redis's scripts have it.

mod unpack;

use mlua::{Lua, MultiValue, Table, Value, Variadic};

use super::machine::number;
use super::raise::{Raise, as_number, native};

/// Tables in tables that are packed; what is deeper is nil.
const DEEPEST: usize = 16;

pub(super) fn table(lua: &Lua) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    let pack = native(lua, |lua, args: Variadic<Value>| {
        if args.is_empty() {
            return Err(Raise::Argument(0, "MessagePack pack needs input.".into()));
        }
        let mut out = Vec::new();
        args.iter().try_for_each(|value| write(value, 0, &mut out))?;
        Ok(lua.create_string(out)?)
    })?;
    table.raw_set("pack", pack)?;
    table.raw_set("unpack", native(lua, |lua, args: Variadic<Value>| unpack::all(lua, &args, 0.0, 0.0))?)?;
    let one = native(lua, |lua, args: Variadic<Value>| {
        let from = optional(lua, &args, 2)?;
        unpack::all(lua, &args, 1.0, from)
    })?;
    table.raw_set("unpack_one", one)?;
    let limited = native(lua, |lua, args: Variadic<Value>| -> Result<MultiValue, Raise> {
        let (most, from) = (number(lua, &args, 2)?, optional(lua, &args, 3)?);
        unpack::all(lua, &args, most, from)
    })?;
    table.raw_set("unpack_limit", limited)?;
    table.raw_set("_NAME", "cmsgpack")?;
    table.raw_set("_VERSION", "lua-cmsgpack 0.4.0")?;
    table.raw_set("_COPYRIGHT", "Copyright (C) 2012, Salvatore Sanfilippo")?;
    table.raw_set("_DESCRIPTION", "MessagePack C implementation for Lua")?;
    Ok(table)
}

fn optional(lua: &Lua, args: &[Value], at: usize) -> Result<f64, Raise> {
    if args.get(at - 1).is_none_or(Value::is_nil) { Ok(0.0) } else { number(lua, args, at) }
}

fn write(value: &Value, depth: usize, out: &mut Vec<u8>) -> mlua::Result<()> {
    match value {
        Value::String(text) => write_bytes(&text.as_bytes(), out),
        Value::Boolean(value) => out.push(if *value { 0xc3 } else { 0xc2 }),
        Value::Integer(number) => write_int(*number, out),
        Value::Number(number) => write_number(*number, out),
        Value::Table(table) if depth < DEEPEST => return write_table(table, depth, out),
        _ => out.push(0xc0),
    }
    Ok(())
}

/// A tag and a length, in as few bytes as it takes.
fn write_head(length: usize, (fixed, most): (u8, usize), byte: Option<u8>, [two, four]: [u8; 2], out: &mut Vec<u8>) {
    match (length, byte) {
        (length, _) if length <= most => out.push(fixed | length as u8),
        (0..=0xff, Some(tag)) => out.extend_from_slice(&[tag, length as u8]),
        (0..=0xffff, _) => {
            out.push(two);
            out.extend_from_slice(&(length as u16).to_be_bytes());
        }
        _ => {
            out.push(four);
            out.extend_from_slice(&(length as u32).to_be_bytes());
        }
    }
}

fn write_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    write_head(bytes.len(), (0xa0, 31), Some(0xd9), [0xda, 0xdb], out);
    out.extend_from_slice(bytes);
}

fn write_number(number: f64, out: &mut Vec<u8>) {
    if number.trunc() == number && number >= i64::MIN as f64 && number < i64::MAX as f64 {
        write_int(number as i64, out);
    } else if f64::from(number as f32) == number {
        out.push(0xca);
        out.extend_from_slice(&(number as f32).to_be_bytes());
    } else {
        out.push(0xcb);
        out.extend_from_slice(&number.to_be_bytes());
    }
}

fn write_int(number: i64, out: &mut Vec<u8>) {
    let mut tagged = |tag: u8, bytes: &[u8]| {
        out.push(tag);
        out.extend_from_slice(bytes);
    };
    match number {
        -32..=127 => out.push(number as u8),
        128..=0xff => tagged(0xcc, &[number as u8]),
        0x100..=0xffff => tagged(0xcd, &(number as u16).to_be_bytes()),
        0x1_0000..=0xffff_ffff => tagged(0xce, &(number as u32).to_be_bytes()),
        0x1_0000_0000.. => tagged(0xcf, &number.to_be_bytes()),
        -128..=-33 => tagged(0xd0, &[number as u8]),
        -32_768..=-129 => tagged(0xd1, &(number as i16).to_be_bytes()),
        -2_147_483_648..=-32_769 => tagged(0xd2, &(number as i32).to_be_bytes()),
        _ => tagged(0xd3, &number.to_be_bytes()),
    }
}

/// A list, if its keys are 1 to their count; otherwise a map.
fn write_table(table: &Table, depth: usize, out: &mut Vec<u8>) -> mlua::Result<()> {
    let (mut count, mut most, mut is_list) = (0usize, 0.0, true);
    for pair in table.pairs::<Value, Value>() {
        let key = pair?.0;
        count += 1;
        match as_number(&key) {
            Some(place) if place > 0.0 && place.trunc() == place && place <= f64::from(i32::MAX) => most = f64::max(most, place),
            _ => is_list = false,
        }
    }
    if is_list && most == count as f64 {
        write_head(count, (0x90, 15), None, [0xdc, 0xdd], out);
        for place in 1..=count {
            write(&table.get(place)?, depth + 1, out)?;
        }
        return Ok(());
    }
    write_head(count, (0x80, 15), None, [0xde, 0xdf], out);
    for pair in table.pairs::<Value, Value>() {
        let (key, value) = pair?;
        write(&key, depth + 1, out)?;
        write(&value, depth + 1, out)?;
    }
    Ok(())
}
