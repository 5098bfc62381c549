//! What a script finds: Lua without what reaches out of it, in tables that nobody can change.
//!
//! Lua 5.1 has no tables that are only read. A protected table is an empty one in front of the real one: reads find the real one, and
//! writes are refused. The functions of Lua that look past such a front (`pairs`, `rawset`, …) are ours.

use mlua::{Function, Lua, LuaOptions, MultiValue, StdLib, Table, Value, Variadic};

use super::raise::{Raise, caught, native};

/// What of Lua's own is not for scripts.
const GONE: &[&str] =
    &["dofile", "loadfile", "print", "require", "module", "package", "debug", "io", "os", "getfenv", "setfenv", "newproxy"];

/// The tables of a Lua state that scripts share.
pub(super) struct Sandbox {
    /// As Lua has them.
    pub(super) pcall: Function,
    pub(super) xpcall: Function,
    /// The real table of the globals.
    pub(super) globals: Table,
    /// The real tables, by their fronts.
    fronts: Table,
    refuses: Function,
}

/// A state that may use so many bytes, whose globals can still be added to.
pub(super) fn open(bytes: usize) -> mlua::Result<(Lua, Sandbox)> {
    let lua = Lua::new_with(StdLib::TABLE | StdLib::STRING | StdLib::MATH, LuaOptions::default())?;
    lua.set_memory_limit(bytes)?;
    let globals = lua.globals();
    GONE.iter().try_for_each(|name| globals.raw_set(*name, Value::Nil))?;
    let refuses = native(&lua, |_, _: MultiValue| Err::<(), _>(Raise::Text(READ_ONLY.into())))?;
    let sandbox =
        Sandbox { pcall: globals.raw_get("pcall")?, xpcall: globals.raw_get("xpcall")?, globals, fronts: lua.create_table()?, refuses };
    sandbox.add_errors(&lua)?;
    sandbox.add_loaders(&lua)?;
    Ok((lua, sandbox))
}

const READ_ONLY: &str = "Attempt to modify a readonly table";

impl Sandbox {
    /// The front of a table, which only reads.
    pub(super) fn protect(&self, lua: &Lua, real: &Table) -> mlua::Result<Table> {
        let (front, meta) = (lua.create_table()?, lua.create_table()?);
        meta.raw_set("__index", real)?;
        meta.raw_set("__newindex", &self.refuses)?;
        // Who looks for the metatable finds that of the real one.
        front.set_metatable(Some(meta))?;
        self.fronts.raw_set(&front, real)?;
        Ok(front)
    }

    /// From now on nothing is added: all tables are protected, and what is not there is an error. The globals are found where
    /// `index` of the table that is given back says.
    pub(super) fn close(&self, lua: &Lua) -> mlua::Result<Table> {
        let all: Vec<(Value, Value)> = self.globals.pairs().collect::<mlua::Result<_>>()?;
        for (name, value) in all {
            if let Value::Table(library) = value
                && library != self.globals
            {
                self.globals.raw_set(name, self.protect(lua, &library)?)?;
            }
        }
        self.complain(lua, &self.globals)?;
        self.add_guards(lua)?;
        let front = self.protect(lua, &self.globals)?;
        self.globals.raw_set("_G", &front)?;
        if let Some(meta) = lua.type_metatable::<mlua::LuaString>() {
            meta.raw_set("__index", self.globals.raw_get::<Value>("string")?)?;
            meta.raw_set("__metatable", self.protect(lua, &meta)?)?;
        }
        lua.set_globals(front.clone())?;
        front.metatable().ok_or_else(|| mlua::Error::runtime("a front has a metatable"))
    }

    /// What is not there is an error from now on.
    pub(super) fn complain(&self, lua: &Lua, table: &Table) -> mlua::Result<()> {
        let unknown = native(lua, |lua, (_, name): (Value, Value)| {
            let name = lua.coerce_string(name)?.map_or_else(String::new, |name| name.to_string_lossy());
            Err::<(), _>(Raise::Text(format!("Script attempted to access nonexistent global variable '{name}'")))
        })?;
        let meta = lua.create_table()?;
        meta.raw_set("__index", unknown)?;
        meta.raw_set("__metatable", self.protect(lua, &meta)?)?;
        table.set_metatable(Some(meta))
    }

    /// `pcall`, `xpcall` and `coroutine.resume`: a script sees our failures as Redis's.
    fn add_errors(&self, lua: &Lua) -> mlua::Result<()> {
        let text = lua.create_function(|lua, error: Value| {
            let error = caught(lua, error, false)?;
            let Value::Table(table) = &error else { return Ok(error) };
            match table.get::<Value>("err")? {
                text @ (Value::String(_) | Value::Integer(_) | Value::Number(_)) => Ok(text),
                _ => Ok(error),
            }
        })?;
        let table = lua.create_function(|lua, error: Value| caught(lua, error, true))?;
        let wrap: Function = lua
            .load(
                "local pcall, xpcall, resume, text, table = ...\n\
                 local function done(seen, ok, ...)\n\
                   if ok then return ok, ... end\n\
                   return ok, seen((...))\n\
                 end\n\
                 return function(...) return done(text, pcall(...)) end,\n\
                   function(run, handler) return xpcall(run, function(error) return handler(table(error)) end) end,\n\
                   function(...) return done(table, resume(...)) end",
            )
            .set_name("=sandbox")
            .into_function()?;
        let coroutines: Table = self.globals.get("coroutine")?;
        let known = (
            self.globals.get::<Function>("pcall")?,
            self.globals.get::<Function>("xpcall")?,
            coroutines.get::<Function>("resume")?,
            text,
            table,
        );
        let (pcall, xpcall, resume): (Function, Function, Function) = wrap.call(known)?;
        self.globals.raw_set("pcall", pcall)?;
        self.globals.raw_set("xpcall", xpcall)?;
        coroutines.raw_set("resume", resume)
    }

    /// `load` and `loadstring`, of text alone: compiled code could do anything.
    fn add_loaders(&self, lua: &Lua) -> mlua::Result<()> {
        let wrap: Function = lua
            .load(
                "local load, loadstring, byte, type, error = ...\n\
                 local function refused(text) return type(text) == 'string' and byte(text) == 27 end\n\
                 return function(reader, name)\n\
                     if type(reader) ~= 'function' then return load(reader, name) end\n\
                     return load(function()\n\
                       local part = reader()\n\
                       if refused(part) then error('bad code in precompiled chunk', 0) end\n\
                       return part\n\
                     end, name)\n\
                   end,\n\
                   function(text, name)\n\
                     if refused(text) then return nil, 'bad code in precompiled chunk' end\n\
                     return loadstring(text, name)\n\
                   end",
            )
            .set_name("=sandbox")
            .into_function()?;
        let find = |name: &str| self.globals.get::<Function>(name);
        let byte: Function = self.globals.get::<Table>("string")?.get("byte")?;
        let (load, loadstring): (Function, Function) =
            wrap.call((find("load")?, find("loadstring")?, byte, find("type")?, find("error")?))?;
        self.globals.raw_set("load", load)?;
        self.globals.raw_set("loadstring", loadstring)
    }

    /// The functions that look past a front.
    fn add_guards(&self, lua: &Lua) -> mlua::Result<()> {
        let known: Function = self.globals.raw_get("next")?;
        let (fronts, step) = (self.fronts.clone(), known.clone());
        let next =
            native(lua, move |_, args: Variadic<Value>| Ok(step.call::<MultiValue>((real(&fronts, table(&args, 1)?)?, args.get(1)))?))?;
        self.globals.raw_set("next", &next)?;
        let fronts = self.fronts.clone();
        self.guard(lua, "pairs", move |_, args: Variadic<Value>| {
            let table = table(&args, 1)?;
            // The real table must not be seen.
            let is_front = fronts.raw_get::<Option<Table>>(table)?.is_some();
            Ok((if is_front { next.clone() } else { known.clone() }, table.clone()))
        })?;
        let fronts = self.fronts.clone();
        self.guard(lua, "rawget", move |_, args: Variadic<Value>| {
            Ok(real(&fronts, table(&args, 1)?)?.raw_get::<Value>(args.get(1).unwrap_or(&Value::Nil))?)
        })?;
        let (fronts, metatable) = (self.fronts.clone(), self.globals.raw_get::<Function>("getmetatable")?);
        self.guard(lua, "getmetatable", move |_, args: Variadic<Value>| match args.first() {
            None => Err(Raise::Argument(1, "value expected".into())),
            Some(Value::Table(table)) => Ok(metatable.call::<Value>(real(&fronts, table)?)?),
            Some(other) => Ok(metatable.call::<Value>(other)?),
        })?;
        let fronts = self.fronts.clone();
        self.guard(lua, "rawset", move |_, args: Variadic<Value>| {
            let table = writable(&fronts, table(&args, 1)?)?;
            let nil = Value::Nil;
            table.raw_set(args.get(1).unwrap_or(&nil), args.get(2).unwrap_or(&nil))?;
            Ok(table.clone())
        })?;
        let fronts = self.fronts.clone();
        self.guard(lua, "setmetatable", move |_, args: Variadic<Value>| {
            let (given, meta) = (table(&args, 1)?, args.get(1));
            let meta = match meta {
                Some(Value::Nil) => None,
                Some(Value::Table(meta)) => Some(meta.clone()),
                _ => return Err(Raise::Argument(2, "nil or table expected".into())),
            };
            let table = writable(&fronts, given)?;
            if let Some(known) = table.metatable()
                && !known.raw_get::<Value>("__metatable")?.is_nil()
            {
                return Err(Raise::Text("cannot change a protected metatable".into()));
            }
            table.set_metatable(meta)?;
            Ok(table.clone())
        })
    }

    fn guard<A: mlua::FromLuaMulti, R: mlua::IntoLuaMulti>(
        &self,
        lua: &Lua,
        name: &str,
        run: impl Fn(&Lua, A) -> Result<R, Raise> + 'static,
    ) -> mlua::Result<()> {
        self.globals.raw_set(name, native(lua, run)?)
    }
}

/// The argument at `at`, from 1 on.
fn table(args: &[Value], at: usize) -> Result<&Table, Raise> {
    match args.get(at - 1) {
        Some(Value::Table(table)) => Ok(table),
        other => Err(Raise::wrong_type(at, "table", other)),
    }
}

/// What is behind a front, or the table itself.
fn real(fronts: &Table, table: &Table) -> mlua::Result<Table> {
    Ok(fronts.raw_get::<Option<Table>>(table)?.unwrap_or_else(|| table.clone()))
}

/// The table, unless it is a front.
fn writable<'t>(fronts: &Table, table: &'t Table) -> Result<&'t Table, Raise> {
    if fronts.raw_get::<Option<Table>>(table)?.is_some() { Err(Raise::Bare(READ_ONLY.into())) } else { Ok(table) }
}
