//! What a function of ours raises in a script, and what the script sees of it when it catches that.
//!
//! mlua raises a failure of ours as a value of its own. Before a script sees it, [`caught`] makes of it what Redis raises: a text, or a
//! table with the text as its `err`.

use mlua::{Error, FromLuaMulti, Function, IntoLuaMulti, Lua, Value};

/// Why a function of ours does not return.
#[derive(Debug)]
pub(super) enum Raise {
    /// The place of the call comes before this text.
    Text(String),
    /// As it is.
    Bare(String),
    /// This argument, from 1 on, is not as it should be.
    Argument(usize, String),
    /// An error answer: a code and a text.
    Answer(String),
    Lua(Error),
}

/// A failure on its way through Lua.
#[derive(Debug, Clone)]
struct Thrown {
    text: String,
    /// The script sees a table.
    is_answer: bool,
}

impl std::fmt::Display for Thrown {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.text)
    }
}

impl std::error::Error for Thrown {}

impl From<Error> for Raise {
    fn from(error: Error) -> Raise {
        Raise::Lua(error)
    }
}

impl Raise {
    /// An answer with the code that those have which need none of their own.
    pub(super) fn answer(text: &str) -> Raise {
        Raise::Answer(format!("ERR {text}"))
    }

    /// An argument is of another type.
    pub(super) fn wrong_type(at: usize, wanted: &str, value: Option<&Value>) -> Raise {
        let got = value.map_or("no value", type_name);
        Raise::Argument(at, format!("{wanted} expected, got {got}"))
    }

    /// As Lua raises it.
    pub(super) fn thrown(self, lua: &Lua) -> Error {
        let (text, is_answer) = match self {
            Raise::Lua(error) => return error,
            Raise::Answer(text) => (text, true),
            Raise::Bare(text) => (text, false),
            Raise::Text(text) => (format!("{}{text}", place(lua)), false),
            Raise::Argument(at, text) => {
                let name = lua.inspect_stack(0, |frame| frame.names().name.map(|name| name.into_owned())).flatten();
                let name = name.unwrap_or_else(|| "?".into());
                (format!("{}bad argument #{at} to '{name}' ({text})", place(lua)), false)
            }
        };
        Error::external(Thrown { text, is_answer })
    }
}

/// `chunk:line: ` of whoever called the function that runs, if that can be told.
fn place(lua: &Lua) -> String {
    let found = lua.inspect_stack(1, |frame| {
        let line = frame.current_line()?;
        frame.source().short_src.map(|source| format!("{source}:{line}: "))
    });
    found.flatten().unwrap_or_default()
}

/// A function of ours.
pub(super) fn native<A: FromLuaMulti, R: IntoLuaMulti>(
    lua: &Lua,
    run: impl Fn(&Lua, A) -> Result<R, Raise> + 'static,
) -> mlua::Result<Function> {
    lua.create_function(move |lua, args| run(lua, args).map_err(|raise| raise.thrown(lua)))
}

/// What a script sees of an error that it caught: `as_table` says whether it sees the table of an answer, or the text alone.
pub(super) fn caught(lua: &Lua, error: Value, as_table: bool) -> mlua::Result<Value> {
    let Value::Error(error) = error else { return Ok(error) };
    let (text, is_answer) = match error.downcast_ref::<Thrown>() {
        Some(thrown) => (thrown.text.clone(), thrown.is_answer),
        None => (first_line(&error), false),
    };
    if !is_answer || !as_table {
        return lua.create_string(text).map(Value::String);
    }
    error_table(lua, &text).map(Value::Table)
}

/// The table that stands for an error answer.
pub(super) fn error_table(lua: &Lua, text: &str) -> mlua::Result<mlua::Table> {
    let table = lua.create_table()?;
    table.raw_set("err", lua.create_string(text)?)?;
    Ok(table)
}

/// What went wrong, without where in Lua's own words.
pub(super) fn first_line(error: &Error) -> String {
    let text = match error {
        Error::SyntaxError { message, .. } | Error::RuntimeError(message) | Error::MemoryError(message) => message.clone(),
        Error::CallbackError { cause, .. } => return first_line(cause),
        other => other.to_string(),
    };
    text.split("\nstack traceback:").next().unwrap_or_default().to_string()
}

/// A number, as all of them are doubles in Lua.
pub(super) fn as_number(value: &Value) -> Option<f64> {
    match value {
        Value::Integer(number) => Some(*number as f64),
        Value::Number(number) => Some(*number),
        _ => None,
    }
}

/// As Lua names types.
pub(super) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Nil => "nil",
        Value::Boolean(_) => "boolean",
        Value::Integer(_) | Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Table(_) => "table",
        Value::Function(_) => "function",
        Value::Thread(_) => "thread",
        _ => "userdata",
    }
}
