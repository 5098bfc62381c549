//! The table `redis`: what scripts ask of us.

use std::rc::Rc;

use mlua::{Function, Lua, LuaString, Table, Value, Variadic};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

use super::convert::{Names, to_lua, with_code};
use super::raise::{Raise, error_table, native};
use super::stage::Seat;
use crate::command::{VERSION, looked_up};
use crate::frame::{Owned, Protocol, write_double};

/// Where commands of a script are logged from.
const LEVELS: [(&str, i64); 4] = [("LOG_DEBUG", 0), ("LOG_VERBOSE", 1), ("LOG_NOTICE", 2), ("LOG_WARNING", 3)];

/// SHA-1 in hexadecimal digits: what a script is known by.
pub(super) fn sha1hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digest = digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes);
    digest.as_ref().iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// What there is while a library is loaded, too: the log and the version.
pub(super) fn add_basics(lua: &Lua, redis: &Table, seat: &Seat) -> mlua::Result<()> {
    LEVELS.iter().try_for_each(|(name, level)| redis.raw_set(*name, *level))?;
    let seat = seat.clone();
    redis.raw_set("log", native(lua, move |lua, args: Variadic<Value>| log(lua, &seat, &args))?)?;
    redis.raw_set("REDIS_VERSION", VERSION)?;
    let number = VERSION.split('.').fold(0, |number, part| number << 8 | part.parse::<i64>().unwrap_or(0));
    redis.raw_set("REDIS_VERSION_NUM", number)
}

/// All that a script may ask for.
pub(super) fn table(lua: &Lua, names: &Rc<Names>, seat: &Seat) -> mlua::Result<Table> {
    let redis = lua.create_table()?;
    add_basics(lua, &redis, seat)?;
    redis.raw_set("call", call(lua, names, seat, true)?)?;
    redis.raw_set("pcall", call(lua, names, seat, false)?)?;
    redis.raw_set("setresp", set_protocol(lua, seat)?)?;
    redis.raw_set("acl_check_cmd", may_call(lua, seat)?)?;
    redis.raw_set("set_repl", set_replication(lua, seat)?)?;
    for (name, value) in [("REPL_NONE", 0), ("REPL_AOF", 1), ("REPL_SLAVE", 2), ("REPL_REPLICA", 2), ("REPL_ALL", 3)] {
        redis.raw_set(name, value)?;
    }
    let sha1 = native(lua, |_, args: Variadic<Value>| match args.as_slice() {
        [text] => Ok(sha1hex(&bytes(text).unwrap_or_default())),
        _ => Err(Raise::answer("wrong number of arguments")),
    })?;
    redis.raw_set("sha1hex", sha1)?;
    let error = native(lua, |lua, args: Variadic<Value>| match one_text(&args) {
        Some(text) => {
            let text = text.to_string_lossy();
            Ok(error_table(lua, &with_code(text.strip_prefix('-').unwrap_or(&text)))?)
        }
        None => Ok(error_table(lua, WRONG)?),
    })?;
    redis.raw_set("error_reply", error)?;
    let status = native(lua, |lua, args: Variadic<Value>| match one_text(&args) {
        Some(text) => {
            let table = lua.create_table()?;
            table.raw_set("ok", text)?;
            Ok(table)
        }
        None => Ok(error_table(lua, WRONG)?),
    })?;
    redis.raw_set("status_reply", status)?;
    Ok(redis)
}

const WRONG: &str = "ERR wrong number or type of arguments";

/// What EVAL has beside: of the debugger, which is not there, and of replication by effects, which always is.
pub(super) fn add_eval(lua: &Lua, redis: &Table) -> mlua::Result<()> {
    redis.raw_set("breakpoint", native(lua, |_, _: Variadic<Value>| Ok(false))?)?;
    redis.raw_set("debug", native(lua, |_, _: Variadic<Value>| Ok(()))?)?;
    redis.raw_set("replicate_commands", native(lua, |_, _: Variadic<Value>| Ok(true))?)
}

fn one_text(args: &[Value]) -> Option<&LuaString> {
    match args {
        [Value::String(text)] => Some(text),
        _ => None,
    }
}

/// A text or a number as bytes, as `tostring` would have it.
fn bytes(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::String(text) => Some(text.as_bytes().to_vec()),
        Value::Integer(_) | Value::Number(_) => value.to_string().ok().map(String::into_bytes),
        _ => None,
    }
}

/// The words of a command.
fn words(args: &[Value]) -> Result<Owned, Raise> {
    if args.is_empty() {
        return Err(Raise::answer("Please specify at least one argument for this redis lib call"));
    }
    let mut words = Vec::with_capacity(args.len());
    for arg in args {
        match arg {
            Value::String(text) => words.push(text.as_bytes().to_vec()),
            Value::Integer(number) => words.push(number_text(*number as f64)),
            Value::Number(number) => words.push(number_text(*number)),
            _ => return Err(Raise::answer("Lua redis lib command arguments must be strings or integers")),
        }
    }
    Ok(words.iter().map(Vec::as_slice).collect())
}

/// With 17 digits: all that a number has.
fn number_text(number: f64) -> Vec<u8> {
    let mut text = Vec::with_capacity(24);
    write_double(number, &mut text);
    text
}

/// `redis.call`, or `redis.pcall`, which gives errors back.
fn call(lua: &Lua, names: &Rc<Names>, seat: &Seat, raises: bool) -> mlua::Result<Function> {
    let (names, seat) = (names.clone(), seat.clone());
    native(lua, move |lua, args: Variadic<Value>| {
        let done = run(lua, &names, &seat, &args, raises);
        match done {
            Err(Raise::Answer(text)) if !raises => {
                let table = error_table(lua, &text)?;
                table.raw_set("ignore_error_stats_update", true)?;
                Ok(Value::Table(table))
            }
            done => done,
        }
    })
}

fn run(lua: &Lua, names: &Names, seat: &Seat, args: &[Value], raises: bool) -> Result<Value, Raise> {
    let mut seat = seat.borrow_mut();
    let stage = seat.running("redis.call/pcall can only be called inside a script invocation")?;
    let words = words(args)?;
    stage.call(words.args()).map_err(Raise::Answer)?;
    match stage.out.strip_prefix(b"-") {
        Some(text) if raises => Err(Raise::Answer(with_code(&String::from_utf8_lossy(text)))),
        _ => Ok(to_lua(lua, names, &stage.out)?),
    }
}

fn set_protocol(lua: &Lua, seat: &Seat) -> mlua::Result<Function> {
    let seat = seat.clone();
    native(lua, move |lua, args: Variadic<Value>| {
        let mut seat = seat.borrow_mut();
        let stage = seat.running("redis.setresp can only be called inside a script invocation")?;
        let [version] = args.as_slice() else { return Err(Raise::answer("redis.setresp() requires one argument.")) };
        stage.protocol = match lua.coerce_number(version.clone())?.map(|version| version as i64) {
            Some(2) => Protocol::Resp2,
            Some(3) => Protocol::Resp3,
            _ => return Err(Raise::answer("RESP version must be 2 or 3.")),
        };
        Ok(())
    })
}

fn may_call(lua: &Lua, seat: &Seat) -> mlua::Result<Function> {
    let seat = seat.clone();
    native(lua, move |_, args: Variadic<Value>| {
        let mut seat = seat.borrow_mut();
        let stage = seat.running("redis.acl_check_cmd can only be called inside a script invocation")?;
        let words = words(&args)?;
        match looked_up(words.args()) {
            Some(command) => Ok(stage.may(command, words.args())),
            None => Err(Raise::answer("Invalid command passed to redis.acl_check_cmd()")),
        }
    })
}

/// Nothing is replicated but effects.
fn set_replication(lua: &Lua, seat: &Seat) -> mlua::Result<Function> {
    let seat = seat.clone();
    native(lua, move |lua, args: Variadic<Value>| {
        seat.borrow_mut().running("redis.set_repl can only be called inside a script invocation")?;
        let [flags] = args.as_slice() else { return Err(Raise::answer("redis.set_repl() requires two arguments.")) };
        match lua.coerce_number(flags.clone())?.unwrap_or(0.0) as i64 {
            0..=3 => Ok(()),
            _ => Err(Raise::answer("Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.")),
        }
    })
}

fn log(lua: &Lua, seat: &Seat, args: &[Value]) -> Result<(), Raise> {
    if args.len() < 2 {
        return Err(Raise::answer("redis.log() requires two arguments or more."));
    }
    let Some(level) = lua.coerce_number(args[0].clone())? else {
        return Err(Raise::answer("First argument must be a number (log level)."));
    };
    if !(0..=3).contains(&(level as i64)) {
        return Err(Raise::answer("Invalid debug level."));
    }
    let words: Vec<String> = args[1..].iter().filter_map(bytes).map(|text| String::from_utf8_lossy(&text).into_owned()).collect();
    seat.borrow().log(level as i64, &words.join(" "));
    Ok(())
}
