//! Answers to Lua's values and back, as Redis converts them.

use mlua::{Lua, LuaString, Table, Value};

use super::raise::{as_number, error_table};
use crate::error::Fault;
use crate::frame::{Protocol, Reply, parse_double, parse_int};

/// Tables in tables that an answer may have: what Lua's stack has room for in Redis.
const DEEPEST: usize = 7_900;

/// The names of what stands for answers, so that they are not made each time.
pub(super) struct Names {
    err: LuaString,
    ok: LuaString,
    double: LuaString,
    big_number: LuaString,
    verbatim: LuaString,
    format: LuaString,
    string: LuaString,
    map: LuaString,
    set: LuaString,
}

impl Names {
    pub(super) fn new(lua: &Lua) -> mlua::Result<Names> {
        let name = |text: &str| lua.create_string(text);
        Ok(Names {
            err: name("err")?,
            ok: name("ok")?,
            double: name("double")?,
            big_number: name("big_number")?,
            verbatim: name("verbatim_string")?,
            format: name("format")?,
            string: name("string")?,
            map: name("map")?,
            set: name("set")?,
        })
    }
}

/// The bytes of an answer that are not read yet. They were written by us.
struct Rest<'r>(&'r [u8]);

impl<'r> Rest<'r> {
    fn line(&mut self) -> &'r [u8] {
        let end = memchr::memchr(b'\r', self.0).unwrap_or(self.0.len());
        let line = &self.0[..end];
        self.0 = self.0.get(end + 2..).unwrap_or_default();
        line
    }

    fn bulk(&mut self, length: usize) -> &'r [u8] {
        let bytes = &self.0[..length];
        self.0 = &self.0[length + 2..];
        bytes
    }
}

/// Makes a value of an answer.
pub(super) fn to_lua(lua: &Lua, names: &Names, answer: &[u8]) -> mlua::Result<Value> {
    value(lua, names, &mut Rest(answer))
}

fn count(line: &[u8]) -> Option<usize> {
    usize::try_from(parse_int(&line[1..])?).ok()
}

fn value(lua: &Lua, names: &Names, rest: &mut Rest<'_>) -> mlua::Result<Value> {
    let line = rest.line();
    let wrapped = |name: &LuaString, value: Value| {
        let table = lua.create_table()?;
        table.raw_set(name, value)?;
        Ok(Value::Table(table))
    };
    match line.first() {
        Some(b':') => Ok(Value::Number(parse_int(&line[1..]).unwrap_or(0) as f64)),
        Some(b'$') => match count(line) {
            Some(length) => lua.create_string(rest.bulk(length)).map(Value::String),
            None => Ok(Value::Boolean(false)),
        },
        Some(b'*') => match count(line) {
            Some(length) => list(lua, names, rest, length).map(Value::Table),
            None => Ok(Value::Boolean(false)),
        },
        Some(b'+') => wrapped(&names.ok, Value::String(lua.create_string(&line[1..])?)),
        Some(b'-') => {
            let table = error_table(lua, &with_code(&String::from_utf8_lossy(&line[1..])))?;
            table.raw_set("ignore_error_stats_update", true)?;
            Ok(Value::Table(table))
        }
        Some(b'#') => Ok(Value::Boolean(line[1] == b't')),
        Some(b',') => {
            let number = parse_double(&line[1..]).unwrap_or(f64::NAN);
            wrapped(&names.double, Value::Number(number))
        }
        Some(b'(') => wrapped(&names.big_number, Value::String(lua.create_string(&line[1..])?)),
        Some(b'=') => wrapped(&names.verbatim, Value::Table(kind_and_text(lua, names, rest.bulk(count(line).unwrap_or(0)))?)),
        Some(b'%') => {
            let pairs = lua.create_table()?;
            for _ in 0..count(line).unwrap_or(0) {
                let key = value(lua, names, rest)?;
                pairs.raw_set(key, value(lua, names, rest)?)?;
            }
            wrapped(&names.map, Value::Table(pairs))
        }
        Some(b'~') => {
            let members = lua.create_table()?;
            for _ in 0..count(line).unwrap_or(0) {
                members.raw_set(value(lua, names, rest)?, true)?;
            }
            wrapped(&names.set, Value::Table(members))
        }
        // A script does not see what is said about an answer.
        Some(b'|') => {
            for _ in 0..count(line).unwrap_or(0) * 2 {
                value(lua, names, rest)?;
            }
            value(lua, names, rest)
        }
        _ => Ok(Value::Nil),
    }
}

/// A text for people, apart from the three letters that say its kind.
fn kind_and_text(lua: &Lua, names: &Names, text: &[u8]) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    table.raw_set(&names.string, lua.create_string(&text[4..])?)?;
    table.raw_set(&names.format, lua.create_string(&text[..3])?)?;
    Ok(table)
}

fn list(lua: &Lua, names: &Names, rest: &mut Rest<'_>, length: usize) -> mlua::Result<Table> {
    let table = lua.create_table_with_capacity(length.min(1 << 20), 0)?;
    for place in 1..=length {
        let value = value(lua, names, rest)?;
        if !value.is_nil() {
            table.raw_set(place, value)?;
        }
    }
    Ok(table)
}

/// An error's text with a code: a single word is none.
pub(super) fn with_code(text: &str) -> String {
    let text = text.trim_end_matches(['\r', '\n']);
    match text.split_once(' ') {
        Some((code, rest)) => format!("{code} {}", rest.trim_matches(['\r', '\n'])),
        None => format!("ERR {text}"),
    }
}

/// Writes what a script gives back, which has chosen `chosen` for what it is answered itself.
pub(super) fn to_reply(names: &Names, value: &Value, chosen: Protocol, reply: &mut Reply<'_>) -> mlua::Result<()> {
    write(names, value, chosen, reply, 0)
}

fn write(names: &Names, value: &Value, chosen: Protocol, reply: &mut Reply<'_>, depth: usize) -> mlua::Result<()> {
    if depth > DEEPEST {
        reply.error(&Fault::fixed("ERR reached lua stack limit"));
        return Ok(());
    }
    match value {
        Value::String(text) => reply.bulk(&text.as_bytes()),
        Value::Integer(number) => reply.int(*number),
        Value::Number(number) => reply.int(whole(*number)),
        Value::Boolean(value) => match (chosen, value) {
            (Protocol::Resp3, value) => reply.bool(*value),
            (Protocol::Resp2, true) => reply.int(1),
            (Protocol::Resp2, false) => reply.null(),
        },
        Value::Table(table) => {
            if !special(names, table, chosen, reply, depth)? {
                sequence(names, table, chosen, reply, depth)?;
            }
        }
        _ => reply.null(),
    }
    Ok(())
}

/// As C makes a `long long` of a double.
fn whole(number: f64) -> i64 {
    let fits = number >= i64::MIN as f64 && number < i64::MAX as f64;
    if fits { number as i64 } else { i64::MIN }
}

/// Without line ends, as a line of the protocol must be.
fn one_line(text: &[u8]) -> String {
    String::from_utf8_lossy(text).replace(['\r', '\n'], " ")
}

/// Up to the first zero byte, where texts end for C.
fn c_text(text: &LuaString) -> Vec<u8> {
    let bytes = text.as_bytes();
    bytes[..memchr::memchr(0, &bytes).unwrap_or(bytes.len())].to_vec()
}

/// A table that stands for an answer of another kind.
fn special(names: &Names, table: &Table, chosen: Protocol, reply: &mut Reply<'_>, depth: usize) -> mlua::Result<bool> {
    if let Value::String(text) = table.raw_get(&names.err)? {
        let text = String::from_utf8_lossy(&c_text(&text)).trim_end_matches(['\r', '\n']).to_string();
        reply.error(&Fault::made(text));
    } else if let Value::String(text) = table.raw_get(&names.ok)? {
        reply.simple(&one_line(&c_text(&text)));
    } else if let number @ (Value::Integer(_) | Value::Number(_)) = table.raw_get(&names.double)? {
        reply.double(as_number(&number).unwrap_or(0.0));
    } else if let Value::String(number) = table.raw_get(&names.big_number)? {
        reply.big_number(one_line(&number.as_bytes()).as_bytes());
    } else if let Some((kind, text)) = verbatim(names, table)? {
        reply.verbatim(&kind, &text.as_bytes());
    } else if let Value::Table(pairs) = table.raw_get(&names.map)? {
        let (hole, mut written) = (reply.later(0), 0);
        for pair in pairs.pairs::<Value, Value>() {
            let (key, value) = pair?;
            write(names, &key, chosen, reply, depth + 2)?;
            write(names, &value, chosen, reply, depth + 2)?;
            written += 1;
        }
        reply.fill_map(hole, written);
    } else if let Value::Table(members) = table.raw_get(&names.set)? {
        let (hole, mut written) = (reply.later(0), 0);
        for pair in members.pairs::<Value, Value>() {
            write(names, &pair?.0, chosen, reply, depth + 2)?;
            written += 1;
        }
        reply.fill_set(hole, written);
    } else {
        return Ok(false);
    }
    Ok(true)
}

/// The kind and the text of a table that stands for a text for people.
fn verbatim(names: &Names, table: &Table) -> mlua::Result<Option<(String, LuaString)>> {
    let Value::Table(inner) = table.raw_get(&names.verbatim)? else { return Ok(None) };
    match (inner.raw_get(&names.format)?, inner.raw_get(&names.string)?) {
        (Value::String(format), Value::String(text)) => {
            let mut kind = one_line(&c_text(&format)).chars().filter(char::is_ascii).take(3).collect::<String>();
            while kind.len() < 3 {
                kind.push(' ');
            }
            Ok(Some((kind, text)))
        }
        _ => Ok(None),
    }
}

/// The elements from 1 on, up to the first that is nil.
fn sequence(names: &Names, table: &Table, chosen: Protocol, reply: &mut Reply<'_>, depth: usize) -> mlua::Result<()> {
    let hole = reply.later(table.raw_len());
    let mut place = 1;
    loop {
        let value: Value = table.raw_get(place)?;
        if value.is_nil() {
            break;
        }
        write(names, &value, chosen, reply, depth + 1)?;
        place += 1;
    }
    reply.fill(hole, place - 1);
    Ok(())
}
