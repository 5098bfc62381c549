//! `redis.register_function`: a library says which functions it has.

use mlua::{Function, Lua, Table, Value, Variadic};

use super::super::raise::{Raise, native};
use super::super::shebang::Marks;
use super::super::stage::Seat;
use super::{BAD_NAME, Registered, is_name};

/// What a library says of a function.
#[derive(Default)]
struct Said {
    name: Option<Vec<u8>>,
    description: Option<Vec<u8>>,
    function: Option<Function>,
    marks: Marks,
}

pub(super) fn function(lua: &Lua, seat: &Seat) -> mlua::Result<Function> {
    let seat = seat.clone();
    native(lua, move |lua, args: Variadic<Value>| {
        if seat.borrow().loading.is_none() {
            return Err(Raise::answer("redis.register_function can only be called on FUNCTION LOAD command"));
        }
        let said = match args.as_slice() {
            [Value::Table(table)] => named(lua, table).map_err(Raise::answer)?,
            [_] => return Err(Raise::answer(NO_TABLE)),
            [name, function] => Said {
                name: Some(text(lua, name).ok_or_else(|| Raise::answer("first argument to redis.register_function must be a string"))?),
                function: Some(match function {
                    Value::Function(function) => function.clone(),
                    _ => return Err(Raise::answer("second argument to redis.register_function must be a function")),
                }),
                ..Said::default()
            },
            _ => return Err(Raise::answer("wrong number of arguments to redis.register_function")),
        };
        register(&seat, said).map_err(Raise::answer)
    })
}

const NO_TABLE: &str =
    "calling redis.register_function with a single argument is only applicable to Lua table (representing named arguments).";

fn text(lua: &Lua, value: &Value) -> Option<Vec<u8>> {
    lua.coerce_string(value.clone()).ok().flatten().map(|text| text.as_bytes().to_vec())
}

fn named(lua: &Lua, table: &Table) -> Result<Said, &'static str> {
    const NO_KEY: &str = "named argument key given to redis.register_function is not a string";
    let mut said = Said::default();
    for pair in table.pairs::<Value, Value>() {
        let (key, value) = pair.map_err(|_| NO_KEY)?;
        match text(lua, &key).ok_or(NO_KEY)?.to_ascii_lowercase().as_slice() {
            b"function_name" => {
                let name = text(lua, &value).ok_or("function_name argument given to redis.register_function must be a string")?;
                said.name = Some(name);
            }
            b"description" => {
                let words = text(lua, &value).ok_or("description argument given to redis.register_function must be a string")?;
                said.description = Some(words);
            }
            b"callback" => match value {
                Value::Function(function) => said.function = Some(function),
                _ => return Err("callback argument given to redis.register_function must be a function"),
            },
            b"flags" => match value {
                Value::Table(flags) => said.marks = marks(lua, &flags).ok_or("unknown flag given")?,
                _ => return Err("flags argument to redis.register_function must be a table representing function flags"),
            },
            _ => return Err("unknown argument given to redis.register_function"),
        }
    }
    Ok(said)
}

fn marks(lua: &Lua, flags: &Table) -> Option<Marks> {
    let mut marks = Marks::default();
    for place in 1.. {
        match flags.get::<Value>(place).ok()? {
            Value::Nil => break,
            flag if marks.add(&String::from_utf8_lossy(&text(lua, &flag)?), true) => {}
            _ => return None,
        }
    }
    Some(marks)
}

fn register(seat: &Seat, said: Said) -> Result<(), &'static str> {
    let name = said.name.ok_or("redis.register_function must get a function name argument")?;
    let function = said.function.ok_or("redis.register_function must get a callback argument")?;
    if !is_name(&name) {
        return Err(BAD_NAME);
    }
    let mut chair = seat.borrow_mut();
    let loading = chair.loading.as_mut().ok_or("redis.register_function can only be called on FUNCTION LOAD command")?;
    let name = String::from_utf8_lossy(&name).into_owned();
    if loading.functions.contains_key(&name) {
        return Err("Function already exists in the library");
    }
    loading.functions.insert(name, Registered { function, description: said.description, marks: said.marks });
    Ok(())
}
