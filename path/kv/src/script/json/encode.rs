//! Lua's values to JSON.

use mlua::{Table, Value};

use super::super::raise::{Raise, as_number, type_name};
use super::{Invalid, Options, number};

/// Writes a value.
pub(super) fn text(value: &Value, options: &Options) -> Result<Vec<u8>, Raise> {
    let mut out = Vec::new();
    write(value, options, 0, &mut out)?;
    Ok(out)
}

fn refused(value: &Value, why: &str) -> Raise {
    Raise::Text(format!("Cannot serialise {}: {why}", type_name(value)))
}

fn write(value: &Value, options: &Options, depth: i32, out: &mut Vec<u8>) -> Result<(), Raise> {
    match value {
        Value::String(text) => write_text(&text.as_bytes(), out),
        Value::Integer(_) | Value::Number(_) => return write_number(value, options, out),
        Value::Boolean(true) => out.extend_from_slice(b"true"),
        Value::Boolean(false) => out.extend_from_slice(b"false"),
        Value::Nil => out.extend_from_slice(b"null"),
        Value::LightUserData(data) if data.0.is_null() => out.extend_from_slice(b"null"),
        Value::Table(table) => {
            let depth = depth + 1;
            if depth > options.encode_depth.get() {
                return Err(Raise::Text(format!("Cannot serialise, excessive nesting ({depth})")));
            }
            return match length(table, value, options)? {
                Some(length) if length > 0 => write_list(table, length, options, depth, out),
                _ => write_map(table, options, depth, out),
            };
        }
        other => return Err(refused(other, "type not supported")),
    }
    Ok(())
}

fn write_text(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text {
        let escape = match byte {
            b'"' | b'\\' | b'/' => *byte,
            8 => b'b',
            b'\t' => b't',
            b'\n' => b'n',
            12 => b'f',
            b'\r' => b'r',
            0..=31 | 127 => {
                out.extend_from_slice(format!("\\u{byte:04x}").as_bytes());
                continue;
            }
            _ => {
                out.push(*byte);
                continue;
            }
        };
        out.extend_from_slice(&[b'\\', escape]);
    }
    out.push(b'"');
}

fn write_number(value: &Value, options: &Options, out: &mut Vec<u8>) -> Result<(), Raise> {
    let number = as_number(value).unwrap_or(0.0);
    match options.encode_invalid.get() {
        Invalid::Refused if !number.is_finite() => return Err(refused(value, "must not be NaN or Inf")),
        Invalid::Null if !number.is_finite() => out.extend_from_slice(b"null"),
        Invalid::Written if number.is_nan() => out.extend_from_slice(b"nan"),
        _ => number::write(number, options.precision.get().max(1) as usize, out),
    }
    Ok(())
}

/// The greatest key of a table that is a list; none: a map.
fn length(table: &Table, value: &Value, options: &Options) -> Result<Option<i64>, Raise> {
    let (mut most, mut count) = (0f64, 0f64);
    for pair in table.pairs::<Value, Value>() {
        let key = pair?.0;
        match as_number(&key) {
            Some(place) if place >= 1.0 && place.floor() == place => most = most.max(place),
            _ => return Ok(None),
        }
        count += 1.0;
    }
    let ratio = f64::from(options.sparse_ratio.get());
    if ratio > 0.0 && most > count * ratio && most > f64::from(options.sparse_safe.get()) {
        return if options.converts_sparse.get() { Ok(None) } else { Err(refused(value, "excessively sparse array")) };
    }
    Ok(Some(most as i64))
}

fn write_list(table: &Table, length: i64, options: &Options, depth: i32, out: &mut Vec<u8>) -> Result<(), Raise> {
    out.push(b'[');
    for place in 1..=length {
        if place > 1 {
            out.push(b',');
        }
        write(&table.raw_get(place)?, options, depth, out)?;
    }
    out.push(b']');
    Ok(())
}

fn write_map(table: &Table, options: &Options, depth: i32, out: &mut Vec<u8>) -> Result<(), Raise> {
    out.push(b'{');
    let mut is_first = true;
    for pair in table.pairs::<Value, Value>() {
        let (key, value) = pair?;
        if !std::mem::take(&mut is_first) {
            out.push(b',');
        }
        match &key {
            Value::Integer(_) | Value::Number(_) => {
                out.push(b'"');
                write_number(&key, options, out)?;
                out.push(b'"');
            }
            Value::String(text) => write_text(&text.as_bytes(), out),
            other => return Err(refused(other, "table key must be a number or string")),
        }
        out.push(b':');
        write(&value, options, depth, out)?;
    }
    out.push(b'}');
    Ok(())
}
