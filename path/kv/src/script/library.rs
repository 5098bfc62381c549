//! Libraries of functions: loaded by `FUNCTION LOAD`, called by `FCALL`.

mod register;

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use mlua::chunk::ChunkMode;
use mlua::{Function, MultiValue, Table, Value};

use super::Counts;
use super::api;
use super::engine::{answer, fault, key_count};
use super::machine::{For, Machine};
use super::raise::{caught, first_line};
use super::shebang::{self, Marks};
use super::stage::Seat;
use crate::error::Fault;
use crate::frame::{Args, Reply};

/// How long a library may take to be loaded.
const LONGEST: Duration = Duration::from_millis(500);
const BAD_NAME: &str = "Library names can only contain letters, numbers, or underscores(_) and must be at least one character long";

/// All libraries, and the state that they are in.
pub(crate) struct Functions {
    seat: Seat,
    machine: Machine,
    /// What a library finds while it is loaded.
    loading: Table,
    libraries: Libraries,
}

type Libraries = BTreeMap<String, Library>;

/// Code that has registered functions.
pub(crate) struct Library {
    pub(crate) code: Vec<u8>,
    pub(crate) functions: BTreeMap<String, Registered>,
}

pub(crate) struct Registered {
    function: Function,
    pub(crate) description: Option<Vec<u8>>,
    pub(crate) marks: Marks,
}

/// A library that is being loaded.
pub(super) struct Loading {
    began: Instant,
    functions: BTreeMap<String, Registered>,
}

/// What happens to libraries that are there when others are restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Restore {
    Flush,
    Append,
    Replace,
}

impl Library {
    /// By its name, in capitals or not.
    fn function(&self, name: &str) -> Option<&Registered> {
        let found = |(known, _): &(&String, &Registered)| known.eq_ignore_ascii_case(name);
        self.functions.get(name).or_else(|| self.functions.iter().find(found).map(|(_, function)| function))
    }
}

impl Loading {
    pub(super) fn is_late(&self) -> bool {
        self.began.elapsed() > LONGEST
    }
}

impl Functions {
    pub(super) fn new(seat: &Seat, bytes: usize) -> mlua::Result<Functions> {
        let machine = Machine::new(seat, For::Functions, bytes)?;
        let (lua, sandbox) = (&machine.lua, &machine.sandbox);
        let (redis, loading) = (lua.create_table()?, lua.create_table()?);
        api::add_basics(lua, &redis, seat)?;
        redis.raw_set("register_function", register::function(lua, seat)?)?;
        sandbox.complain(lua, &redis)?;
        loading.raw_set("redis", sandbox.protect(lua, &redis)?)?;
        sandbox.complain(lua, &loading)?;
        Ok(Functions { seat: seat.clone(), machine, loading, libraries: Libraries::new() })
    }

    /// By name.
    pub(crate) fn libraries(&self) -> &Libraries {
        &self.libraries
    }

    pub(super) fn count(&self, counts: &Counts) {
        counts.libraries.store(self.libraries.len(), Ordering::Relaxed);
        counts.functions.store(self.libraries.values().map(|library| library.functions.len()).sum(), Ordering::Relaxed);
        counts.function_bytes.store(self.machine.used(), Ordering::Relaxed);
    }

    /// `FUNCTION LOAD`; gives the name of the library.
    pub(crate) fn load(&mut self, code: &[u8], replaces: bool) -> Result<String, Fault> {
        let made = self.made(code, &self.libraries, replaces).map_err(|why| Fault::made(format!("ERR {why}")));
        let (name, library) = made?;
        self.libraries.insert(name.clone(), library);
        self.tell();
        Ok(name)
    }

    /// Tells the loops which functions change nothing.
    fn tell(&self) {
        let all = self.libraries.values().flat_map(|library| &library.functions);
        let names = all.filter(|(_, function)| function.marks.reads_only).map(|(name, _)| name);
        self.seat.borrow_mut().stage().common.scripts.readers.set_functions(names);
    }

    /// A library, which others may stand beside, unless it is to replace its namesake.
    fn made(&self, code: &[u8], others: &Libraries, replaces: bool) -> Result<(String, Library), String> {
        let (name, skipped) = name_of(code)?;
        if others.contains_key(&name) && !replaces {
            return Err(format!("Library '{name}' already exists"));
        }
        let functions = self.registered(&code[skipped..])?;
        if functions.is_empty() {
            return Err("No functions registered".into());
        }
        let beside = others.iter().filter(|(other, _)| **other != name);
        let mut taken = functions.keys().filter(|function| beside.clone().any(|(_, library)| library.function(function).is_some()));
        match taken.next() {
            Some(function) => Err(format!("Function {function} already exists")),
            None => Ok((name, Library { code: code.to_vec(), functions })),
        }
    }

    /// Runs the code of a library; gives what it registers.
    fn registered(&self, code: &[u8]) -> Result<BTreeMap<String, Registered>, String> {
        let lua = &self.machine.lua;
        let chunk = lua.load(code).set_name("@user_function").set_mode(ChunkMode::Text);
        let run = chunk.into_function().map_err(|error| format!("Error compiling function: {}", first_line(&error)))?;
        let broken = |error: mlua::Error| format!("Error registering functions: {}", first_line(&error));
        self.machine.globals.raw_set("__index", &self.loading).map_err(broken)?;
        self.seat.borrow_mut().loading = Some(Loading { began: Instant::now(), functions: BTreeMap::new() });
        let done = self.machine.protected(&run);
        self.machine.rest()?;
        let loaded = self.seat.borrow_mut().loading.take();
        self.machine.globals.raw_set("__index", &self.machine.sandbox.globals).map_err(broken)?;
        done.map_err(|why| format!("Error registering functions: {why}"))?;
        Ok(loaded.map(|loaded| loaded.functions).unwrap_or_default())
    }

    /// `FUNCTION DELETE`; whether it was there.
    pub(crate) fn delete(&mut self, name: &[u8]) -> bool {
        let was_there = self.libraries.remove(&*String::from_utf8_lossy(name)).is_some();
        self.tell();
        was_there
    }

    /// `FUNCTION RESTORE`, of the code of libraries: all or none.
    pub(crate) fn restore(&mut self, codes: &[&[u8]], how: Restore) -> Result<(), Fault> {
        let refused = |why: String| Fault::made(format!("ERR {why}"));
        let mut restored = Libraries::new();
        for code in codes {
            let (name, library) = self.made(code, &restored, false).map_err(refused)?;
            restored.insert(name, library);
        }
        if how == Restore::Flush {
            self.libraries = restored;
            self.tell();
            return Ok(());
        }
        if how == Restore::Append
            && let Some(name) = restored.keys().find(|name| self.libraries.contains_key(*name))
        {
            return Err(refused(format!("Library {name} already exists")));
        }
        let stay = self.libraries.iter().filter(|(name, _)| !restored.contains_key(*name));
        let mut coming = restored.values().flat_map(|library| library.functions.keys());
        if let Some(function) = coming.find(|function| stay.clone().any(|(_, library)| library.function(function).is_some())) {
            return Err(refused(format!("Function {function} already exists")));
        }
        self.libraries.append(&mut restored);
        self.tell();
        Ok(())
    }

    /// `FCALL function numkeys key… arg…`.
    pub(crate) fn call(&mut self, args: Args<'_>, reads_only: bool, reply: &mut Reply<'_>) -> Result<(), Fault> {
        let name = String::from_utf8_lossy(args.at(1));
        let found = self.libraries.values().find_map(|library| library.function(&name));
        let Registered { function, marks, .. } = found.ok_or(Fault::fixed("ERR Function not found"))?;
        let keys = key_count(args, Fault::fixed("ERR Bad number of keys provided"))?;
        let machine = &self.machine;
        let list = |args: Args<'_>| machine.list(args.iter()).map_err(|error| fault(&error));
        let lists = (list(args.from(3).before(keys))?, list(args.from(3 + keys))?);
        self.seat.borrow_mut().stage().begin(&name, false, *marks, reads_only, args).map_err(Fault::fixed)?;
        let result = machine.run(function, Some(lists), &name);
        answer(machine, &self.seat, result, reply)
    }
}

impl Machine {
    /// Runs what gives nothing back; what it fails with, as the script would see it.
    fn protected(&self, run: &Function) -> Result<(), String> {
        let results = self.pcall.call::<MultiValue>(run).map_err(|error| first_line(&error))?;
        match (results.front(), results.get(1)) {
            (Some(Value::Boolean(false)), Some(error)) => {
                let text = match caught(&self.lua, error.clone(), true).map_err(|error| first_line(&error))? {
                    Value::Table(table) => table.raw_get::<Option<String>>("err").ok().flatten().unwrap_or_default(),
                    other => format!("ERR {}", other.to_string().unwrap_or_default()),
                };
                Err(text)
            }
            _ => Ok(()),
        }
    }
}

/// The name of a library, and how many bytes of its code are no Lua.
fn name_of(code: &[u8]) -> Result<(String, usize), String> {
    let (words, length) = shebang::line(code).map_err(|()| "Invalid library metadata")?.ok_or("Missing library metadata")?;
    let mut name = None;
    for word in &words[1..] {
        match word.get(..5).filter(|start| start.eq_ignore_ascii_case("name=")) {
            None => return Err(format!("Invalid metadata value given: {word}")),
            Some(_) if name.is_some() => return Err("Invalid metadata value, name argument was given multiple times".into()),
            Some(_) => name = Some(word[5..].to_string()),
        }
    }
    let name = name.ok_or("Library name was not given")?;
    if !is_name(name.as_bytes()) {
        return Err(BAD_NAME.into());
    }
    match &words[0][2..] {
        engine if engine.eq_ignore_ascii_case("lua") => Ok((name, length)),
        engine => Err(format!("Engine '{engine}' not found")),
    }
}

fn is_name(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}
