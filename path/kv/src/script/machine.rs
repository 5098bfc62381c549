//! A Lua state: what scripts find in it, and how they are run.

use std::rc::Rc;

use mlua::{Function, HookTriggers, Lua, MultiValue, Table, Value, Variadic, VmState};

use super::convert::Names;
use super::raise::{Raise, caught, first_line, native};
use super::sandbox::{self, Sandbox};
use super::stage::Seat;
use super::{api, bits, json, pack, structs};

/// Instructions after which a script is looked at.
const LOOK: u32 = 10_000;
/// Bytes after which what a script has left behind goes at once.
const MUCH: usize = 16 << 20;

/// What a state is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum For {
    Eval,
    Functions,
}

pub(super) struct Machine {
    pub(super) lua: Lua,
    pub(super) names: Rc<Names>,
    pub(super) sandbox: Sandbox,
    /// Where globals are found: its `__index`.
    pub(super) globals: Table,
    seat: Seat,
    pub(super) pcall: Function,
    xpcall: Function,
    handler: Function,
}

impl Machine {
    /// One that may use so many bytes.
    pub(super) fn new(seat: &Seat, is_for: For, bytes: usize) -> mlua::Result<Machine> {
        let (lua, sandbox) = sandbox::open(bytes)?;
        let names = Rc::new(Names::new(&lua)?);
        let globals = &sandbox.globals;
        let called = "local xpcall = ... return function(run, handler, keys, args)
            return xpcall(keys and function() return run(keys, args) end or run, handler)
        end";
        let xpcall: Function = lua.load(called).call(&sandbox.xpcall)?;
        let redis = api::table(&lua, &names, seat)?;
        if is_for == For::Eval {
            api::add_eval(&lua, &redis)?;
        }
        globals.raw_set("redis", redis)?;
        globals.raw_set("cjson", json::table(&lua)?)?;
        globals.raw_set("cmsgpack", pack::table(&lua)?)?;
        globals.raw_set("struct", structs::table(&lua)?)?;
        globals.raw_set("bit", bits::table(&lua)?)?;
        add_random(&lua, globals, seat)?;
        let handler = lua.create_function(|lua, error: Value| handled(lua, error))?;
        let globals = sandbox.close(&lua)?;
        watch(&lua, seat, HookTriggers::new().every_nth_instruction(LOOK))?;
        let pcall = sandbox.pcall.clone();
        Ok(Machine { lua, names, sandbox, globals, seat: seat.clone(), pcall, xpcall, handler })
    }

    /// Runs `function` to its end.
    ///
    /// # Errors
    /// What the client is told, with the code; `name` is that of the script.
    pub(super) fn run(&self, function: &Function, arguments: Option<(Table, Table)>, name: &str) -> Result<Value, String> {
        let (keys, args) = arguments.unzip();
        let results = self.xpcall.call::<MultiValue>((function, &self.handler, keys, args));
        self.rest()?;
        // It may have been stopped by the script.
        self.lua.gc_restart();
        if self.used() > MUCH {
            let _ = self.lua.gc_collect();
        }
        let results = match results {
            Ok(results) => results,
            Err(error) => return Err(self.broken(name, &first_line(&error))),
        };
        let mut results = results.into_iter();
        match (results.next(), results.next()) {
            (Some(Value::Boolean(true)), value) => Ok(value.unwrap_or(Value::Nil)),
            (_, Some(Value::Table(error))) => Err(self.told(&error, name)),
            (_, Some(Value::String(text))) => Err(self.broken(name, &text.to_string_lossy())),
            _ => Err(self.broken(name, "execution failure")),
        }
    }

    /// What runs next is looked at from time to time, whatever the last one came to.
    pub(super) fn rest(&self) -> Result<(), String> {
        let was_ended = std::mem::take(&mut self.seat.borrow_mut().is_ending);
        let again = || watch(&self.lua, &self.seat, HookTriggers::new().every_nth_instruction(LOOK));
        if was_ended { again().map_err(|error| format!("ERR {}", first_line(&error))) } else { Ok(()) }
    }

    /// Lua itself could not go on.
    fn broken(&self, name: &str, why: &str) -> String {
        let _ = self.lua.gc_collect();
        format!("ERR Error running script {name}, {}", why.chars().take(100).collect::<String>())
    }

    /// What the client is told of an error that was handled.
    fn told(&self, error: &Table, name: &str) -> String {
        let text = |key: &str| match error.raw_get::<Value>(key) {
            Ok(value @ (Value::String(_) | Value::Integer(_) | Value::Number(_))) => value.to_string().ok(),
            _ => None,
        };
        let why = text("err").unwrap_or_else(|| "ERR unknown error".into());
        match (text("source"), text("line")) {
            (Some(source), Some(line)) => format!("{why} script: {name}, on {source}:{line}."),
            _ => why,
        }
    }

    /// Bytes that the state uses.
    pub(super) fn used(&self) -> usize {
        self.lua.used_memory()
    }

    /// Words as a table.
    pub(super) fn list<'a>(&self, words: impl ExactSizeIterator<Item = &'a [u8]>) -> mlua::Result<Table> {
        let table = self.lua.create_table_with_capacity(words.len(), 0)?;
        for (place, word) in words.enumerate() {
            table.raw_set(place + 1, self.lua.create_string(word)?)?;
        }
        Ok(table)
    }
}

/// Makes a table of an error, with the place where it happened: that of the script, if a function of Lua's or ours failed.
fn handled(lua: &Lua, error: Value) -> mlua::Result<Table> {
    let table = match caught(lua, error, true)? {
        Value::Table(table) => table,
        other => {
            let table = lua.create_table()?;
            let text = match &other {
                Value::Nil => "nil".to_string(),
                Value::Boolean(value) => value.to_string(),
                other => other.to_string()?,
            };
            table.raw_set("err", format!("ERR {text}"))?;
            table
        }
    };
    let frame = |level| {
        lua.inspect_stack(level, |frame| {
            let source = frame.source();
            let name = source.source.map(|name| name.into_owned()).unwrap_or_default();
            (source.what == "C", name, frame.current_line().map_or(-1, |line| line as i64))
        })
    };
    let place = match frame(1) {
        Some((true, ..)) => frame(2),
        place => place,
    };
    if let Some((_, source, line)) = place {
        table.raw_set("source", source)?;
        table.raw_set("line", line)?;
    }
    Ok(table)
}

/// Has a script looked at.
fn watch(lua: &Lua, seat: &Seat, when: HookTriggers) -> mlua::Result<()> {
    let seat = seat.clone();
    lua.set_global_hook(when, move |lua, _| look(lua, &seat))
}

/// A script is looked at from time to time: it may have to end.
fn look(lua: &Lua, seat: &Seat) -> mlua::Result<VmState> {
    // It may be in a function of ours, which takes no time.
    let Ok(mut chair) = seat.try_borrow_mut() else { return Ok(VmState::Continue) };
    let why = if chair.loading.as_ref().is_some_and(super::library::Loading::is_late) {
        "FUNCTION LOAD timeout"
    } else if chair.stage.as_mut().is_some_and(|stage| stage.is_killed()) {
        "Script killed by user with SCRIPT KILL..."
    } else {
        return Ok(VmState::Continue);
    };
    if !std::mem::replace(&mut chair.is_ending, true) {
        // From now on at each line: it may catch this.
        drop(chair);
        watch(lua, seat, HookTriggers::EVERY_LINE)?;
    }
    Err(Raise::answer(why).thrown(lua))
}

fn add_random(lua: &Lua, globals: &Table, seat: &Seat) -> mlua::Result<()> {
    let math: Table = globals.get("math")?;
    let draws = seat.clone();
    let random = native(lua, move |lua, args: Variadic<Value>| {
        if !draws.borrow().is_running() {
            return Err(Raise::Text("math.random can only be called inside a script invocation".into()));
        }
        let drawn = draws.borrow_mut().random.next();
        let bound = |at: usize| integer(lua, &args, at);
        match args.len() {
            0 => Ok(drawn),
            1 => match bound(1)? {
                most if most < 1 => Err(Raise::Argument(1, "interval is empty".into())),
                most => Ok((drawn * f64::from(most)).floor() + 1.0),
            },
            2 => match (bound(1)?, bound(2)?) {
                (least, most) if least > most => Err(Raise::Argument(2, "interval is empty".into())),
                (least, most) => Ok((drawn * f64::from(most.wrapping_sub(least).wrapping_add(1))).floor() + f64::from(least)),
            },
            _ => Err(Raise::Text("wrong number of arguments".into())),
        }
    })?;
    math.raw_set("random", random)?;
    let seeds = seat.clone();
    let seed = native(lua, move |lua, args: Variadic<Value>| {
        if !seeds.borrow().is_running() {
            return Err(Raise::Text("math.randomseed can only be called inside a script invocation".into()));
        }
        let seed = integer(lua, &args, 1)?;
        seeds.borrow_mut().random.seed(seed);
        Ok(())
    })?;
    math.raw_set("randomseed", seed)
}

/// The argument at `at`, from 1 on, as C makes an `int` of it.
pub(super) fn integer(lua: &Lua, args: &[Value], at: usize) -> Result<i32, Raise> {
    Ok(number(lua, args, at)? as i64 as i32)
}

/// The argument at `at`, from 1 on, as a number.
pub(super) fn number(lua: &Lua, args: &[Value], at: usize) -> Result<f64, Raise> {
    let value = args.get(at - 1);
    let number = value.map(|value| lua.coerce_number(value.clone())).transpose()?.flatten();
    number.ok_or_else(|| Raise::wrong_type(at, "number", value))
}

/// The argument at `at`, from 1 on, as text.
pub(super) fn text(lua: &Lua, args: &[Value], at: usize) -> Result<mlua::LuaString, Raise> {
    let value = args.get(at - 1);
    let text = value.map(|value| lua.coerce_string(value.clone())).transpose()?.flatten();
    text.ok_or_else(|| Raise::wrong_type(at, "string", value))
}
