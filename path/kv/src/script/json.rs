//! The library `cjson`: JSON, as Redis's scripts have it.

mod decode;
mod encode;
mod number;

use std::cell::Cell;
use std::rc::Rc;

use mlua::{Lua, MultiValue, Table, Value, Variadic};

use super::machine::number as number_argument;
use super::raise::{Raise, native};

/// What numbers that JSON has not become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Invalid {
    Refused,
    Written,
    Null,
}

/// What a script may set, for all that come after it, too.
#[derive(Debug)]
struct Options {
    converts_sparse: Cell<bool>,
    sparse_ratio: Cell<i32>,
    sparse_safe: Cell<i32>,
    encode_depth: Cell<i32>,
    decode_depth: Cell<i32>,
    precision: Cell<i32>,
    keeps_buffer: Cell<bool>,
    encode_invalid: Cell<Invalid>,
    decode_invalid: Cell<bool>,
}

impl Options {
    fn new() -> Rc<Options> {
        Rc::new(Options {
            converts_sparse: Cell::new(false),
            sparse_ratio: Cell::new(2),
            sparse_safe: Cell::new(10),
            encode_depth: Cell::new(1000),
            decode_depth: Cell::new(1000),
            precision: Cell::new(14),
            keeps_buffer: Cell::new(true),
            encode_invalid: Cell::new(Invalid::Refused),
            decode_invalid: Cell::new(true),
        })
    }
}

pub(super) fn table(lua: &Lua) -> mlua::Result<Table> {
    let (table, options) = (lua.create_table()?, Options::new());
    let shared = options.clone();
    table.raw_set("encode", native(lua, move |lua, args| Ok(lua.create_string(encode::text(one(&args)?, &shared)?)?))?)?;
    let shared = options.clone();
    table.raw_set("decode", native(lua, move |lua, args| decode::value(lua, one(&args)?, &shared))?)?;
    add_options(lua, &table, &options)?;
    table.raw_set("new", native(lua, |lua, _: MultiValue| Ok(self::table(lua)?))?)?;
    table.raw_set("null", Value::NULL)?;
    table.raw_set("_NAME", "cjson")?;
    table.raw_set("_VERSION", "2.1.0")?;
    Ok(table)
}

fn one(args: &Variadic<Value>) -> Result<&Value, Raise> {
    match args.as_slice() {
        [value] => Ok(value),
        _ => Err(Raise::Argument(1, "expected 1 argument".into())),
    }
}

type Number = fn(&Options) -> &Cell<i32>;
type Switch = fn(&Options) -> &Cell<bool>;

const NUMBERS: [(&str, Number, i32); 3] = [
    ("encode_max_depth", |options| &options.encode_depth, i32::MAX),
    ("decode_max_depth", |options| &options.decode_depth, i32::MAX),
    ("encode_number_precision", |options| &options.precision, 14),
];
const SWITCHES: [(&str, Switch); 2] =
    [("encode_keep_buffer", |options| &options.keeps_buffer), ("decode_invalid_numbers", |options| &options.decode_invalid)];

fn add_options(lua: &Lua, table: &Table, options: &Rc<Options>) -> mlua::Result<()> {
    for (name, of, most) in NUMBERS {
        let options = options.clone();
        let set = native(lua, move |lua, args: Variadic<Value>| {
            at_most(&args, 1)?;
            set_number(lua, &args, 1, of(&options), (1, most))
        })?;
        table.raw_set(name, set)?;
    }
    for (name, of) in SWITCHES {
        let options = options.clone();
        let set = native(lua, move |_, args: Variadic<Value>| {
            at_most(&args, 1)?;
            set_switch(&args, of(&options))
        })?;
        table.raw_set(name, set)?;
    }
    let shared = options.clone();
    let sparse = native(lua, move |lua, args: Variadic<Value>| {
        at_most(&args, 3)?;
        let converts = set_switch(&args, &shared.converts_sparse)?;
        let ratio = set_number(lua, &args, 2, &shared.sparse_ratio, (0, i32::MAX))?;
        Ok((converts, ratio, set_number(lua, &args, 3, &shared.sparse_safe, (0, i32::MAX))?))
    })?;
    table.raw_set("encode_sparse_array", sparse)?;
    let shared = options.clone();
    let invalid = native(lua, move |lua, args: Variadic<Value>| {
        at_most(&args, 1)?;
        if let Some(value) = args.first().filter(|value| !value.is_nil()) {
            shared.encode_invalid.set(match option(value)?.as_str() {
                "off" => Invalid::Refused,
                "on" => Invalid::Written,
                "null" => Invalid::Null,
                other => return Err(unknown(other)),
            });
        }
        Ok(match shared.encode_invalid.get() {
            Invalid::Refused => Value::Boolean(false),
            Invalid::Written => Value::Boolean(true),
            Invalid::Null => Value::String(lua.create_string("null")?),
        })
    })?;
    table.raw_set("encode_invalid_numbers", invalid)
}

fn at_most(args: &[Value], most: usize) -> Result<(), Raise> {
    if args.len() > most { Err(Raise::Argument(most + 1, "found too many arguments".into())) } else { Ok(()) }
}

fn set_number(lua: &Lua, args: &[Value], at: usize, cell: &Cell<i32>, (least, most): (i32, i32)) -> Result<i32, Raise> {
    if args.get(at - 1).is_some_and(|value| !value.is_nil()) {
        match number_argument(lua, args, at)? as i64 as i32 {
            value if (least..=most).contains(&value) => cell.set(value),
            _ => return Err(Raise::Argument(1, format!("expected integer between {least} and {most}"))),
        }
    }
    Ok(cell.get())
}

fn set_switch(args: &[Value], cell: &Cell<bool>) -> Result<bool, Raise> {
    if let Some(value) = args.first().filter(|value| !value.is_nil()) {
        match option(value)?.as_str() {
            "on" => cell.set(true),
            "off" => cell.set(false),
            other => return Err(unknown(other)),
        }
    }
    Ok(cell.get())
}

fn unknown(option: &str) -> Raise {
    Raise::Argument(1, format!("invalid option '{option}'"))
}

/// A switch, or the name of what is chosen.
fn option(value: &Value) -> Result<String, Raise> {
    match value {
        Value::Boolean(value) => Ok(if *value { "on" } else { "off" }.into()),
        Value::String(text) => Ok(text.to_string_lossy()),
        other => Err(Raise::wrong_type(1, "string", Some(other))),
    }
}
