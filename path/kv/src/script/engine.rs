//! Runs scripts: the states of Lua, and the scripts that are known by their digests.

use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::atomic::Ordering;

use mlua::Function;
use mlua::chunk::ChunkMode;

use super::api::sha1hex;
use super::convert::to_reply;
use super::library::Functions;
use super::machine::{For, Machine};
use super::raise::first_line;
use super::shebang::{self, Marks};
use super::stage::{Seat, Stage};
use crate::error::Fault;
use crate::frame::{Args, Reply};
use crate::store::View;

/// Scripts that are kept though nobody has loaded them but EVAL.
const KEPT: usize = 500;

/// Lives on the thread that runs scripts.
pub(crate) struct Engine {
    seat: Seat,
    /// Bytes that a state may use.
    bytes: usize,
    eval: Option<Machine>,
    scripts: HashMap<String, Rc<Script>>,
    uses: u64,
    functions: Option<Functions>,
}

struct Script {
    digest: String,
    function: Function,
    marks: Marks,
    /// By SCRIPT LOAD: it stays until SCRIPT FLUSH.
    is_loaded: Cell<bool>,
    used: Cell<u64>,
}

impl Engine {
    /// One whose states may use so many bytes each.
    pub(super) fn new(bytes: usize) -> Engine {
        Engine { seat: Seat::default(), bytes, eval: None, scripts: HashMap::new(), uses: 0, functions: None }
    }

    /// Does something on a stage.
    pub(crate) fn on_stage<T>(&mut self, stage: Stage, work: impl FnOnce(&mut Engine) -> T) -> (T, Stage) {
        self.seat.borrow_mut().stage = Some(Box::new(stage));
        let done = work(self);
        let stage = self.seat.borrow_mut().stage.take().expect("it was put there");
        let counts = &stage.common.scripts.counts;
        counts.scripts.store(self.scripts.len(), Ordering::Relaxed);
        counts.eval_bytes.store(self.eval.as_ref().map_or(0, Machine::used), Ordering::Relaxed);
        if let Some(functions) = &self.functions {
            functions.count(counts);
        }
        (done, *stage)
    }

    /// Something panicked: its keys go back, and the states of Lua are given up.
    pub(super) fn recover(&mut self) {
        self.flush_scripts();
        self.functions = None;
        // A borrow that a panic left behind is of the old seat.
        let old = std::mem::take(&mut self.seat);
        if let Ok(mut chair) = old.try_borrow_mut()
            && let Some(mut stage) = chair.stage.take()
        {
            stage.finish();
        }
    }

    /// The keys that the stage has.
    pub(crate) fn with_view<T>(&mut self, work: impl FnOnce(&mut View<'_>) -> T) -> T {
        work(&mut self.seat.borrow_mut().stage().view())
    }

    /// `EVAL script numkeys key… arg…`, or with the digest of a script that is known.
    pub(crate) fn eval(&mut self, args: Args<'_>, by_digest: bool, reads_only: bool, reply: &mut Reply<'_>) -> Result<(), Fault> {
        let keys = key_count(args, Fault::NOT_INTEGER)?;
        let script = match by_digest {
            true => self.known(args.at(1)).ok_or(Fault::fixed("NOSCRIPT No matching script. Please use EVAL."))?,
            false => self.script(args.at(1), false)?,
        };
        let machine = machine(&mut self.eval, &self.seat, self.bytes)?;
        let lists = machine.list(args.from(3).before(keys).iter()).and_then(|keys_list| {
            let globals = &machine.sandbox.globals;
            globals.raw_set("KEYS", keys_list)?;
            globals.raw_set("ARGV", machine.list(args.from(3 + keys).iter())?)
        });
        lists.map_err(|error| fault(&error))?;
        self.seat.borrow_mut().stage().begin(&script.digest, true, script.marks, reads_only, args).map_err(Fault::fixed)?;
        let result = machine.run(&script.function, None, &script.digest);
        answer(machine, &self.seat, result, reply)
    }

    /// `SCRIPT LOAD`; gives the digest.
    pub(crate) fn load(&mut self, code: &[u8]) -> Result<String, Fault> {
        self.script(code, true).map(|script| script.digest.clone())
    }

    /// Whether a script of that digest is known.
    pub(crate) fn knows(&self, digest: &[u8]) -> bool {
        self.scripts.contains_key(&lower(digest))
    }

    /// `SCRIPT FLUSH`.
    pub(crate) fn flush_scripts(&mut self) {
        self.scripts.clear();
        self.eval = None;
        if let Ok(chair) = self.seat.try_borrow()
            && let Some(stage) = &chair.stage
        {
            stage.common.scripts.readers.forget_scripts();
        }
    }

    fn known(&mut self, digest: &[u8]) -> Option<Rc<Script>> {
        let script = self.scripts.get(&lower(digest))?;
        self.uses += 1;
        script.used.set(self.uses);
        Some(script.clone())
    }

    /// The script, compiled if it is not known yet.
    fn script(&mut self, code: &[u8], is_loaded: bool) -> Result<Rc<Script>, Fault> {
        let digest = sha1hex(code);
        if let Some(script) = self.known(digest.as_bytes()) {
            script.is_loaded.set(script.is_loaded.get() || is_loaded);
            return Ok(script);
        }
        let (marks, skipped) = shebang::of_script(code).map_err(|why| Fault::made(format!("ERR {why}")))?;
        let machine = machine(&mut self.eval, &self.seat, self.bytes)?;
        let chunk = machine.lua.load(&code[skipped..]).set_name("@user_script").set_mode(ChunkMode::Text);
        let function = chunk.into_function().map_err(|error| {
            let why = first_line(&error);
            Fault::made(format!("ERR Error compiling script (new function): {why}"))
        })?;
        let script = Script { digest: digest.clone(), function, marks, is_loaded: Cell::new(is_loaded), used: Cell::new(self.uses) };
        let script = Rc::new(script);
        if marks.reads_only {
            self.seat.borrow_mut().stage().common.scripts.readers.add_script(&digest);
        }
        self.scripts.insert(digest, script.clone());
        self.forget();
        Ok(script)
    }

    /// Forgets the script that was used longest ago, if there are too many that nobody has loaded.
    fn forget(&mut self) {
        let free = || self.scripts.values().filter(|script| !script.is_loaded.get());
        if free().count() > KEPT
            && let Some(oldest) = free().min_by_key(|script| script.used.get()).map(|script| script.digest.clone())
        {
            self.scripts.remove(&oldest);
            self.seat.borrow_mut().stage().common.scripts.readers.forget_script(&oldest);
        }
    }

    /// The libraries of functions.
    pub(crate) fn functions(&mut self) -> Result<&mut Functions, Fault> {
        if self.functions.is_none() {
            self.functions = Some(Functions::new(&self.seat, self.bytes).map_err(|error| fault(&error))?);
        }
        Ok(self.functions.as_mut().expect("it was just made"))
    }

    /// All libraries go, and the state that they were in.
    pub(crate) fn flush_functions(&mut self) {
        self.functions = None;
        let mut chair = self.seat.borrow_mut();
        let scripts = &chair.stage().common.scripts;
        scripts.readers.set_functions(std::iter::empty());
        let counts = &scripts.counts;
        for count in [&counts.libraries, &counts.functions, &counts.function_bytes] {
            count.store(0, Ordering::Relaxed);
        }
    }
}

/// How many of the words behind the third are keys.
pub(super) fn key_count(args: Args<'_>, no_number: Fault) -> Result<usize, Fault> {
    let count = args.int(2).map_err(|_| no_number)?;
    if count > (args.len() - 3) as i64 {
        return Err(Fault::fixed("ERR Number of keys can't be greater than number of args"));
    }
    usize::try_from(count).map_err(|_| Fault::fixed("ERR Number of keys can't be negative"))
}

/// Ends the script, and answers with what it gave back or failed with.
pub(super) fn answer(machine: &Machine, seat: &Seat, result: Result<mlua::Value, String>, reply: &mut Reply<'_>) -> Result<(), Fault> {
    let chosen = {
        let mut chair = seat.borrow_mut();
        let stage = chair.stage();
        stage.finish();
        stage.protocol
    };
    match result {
        Ok(value) => to_reply(&machine.names, &value, chosen, reply).map_err(|error| fault(&error)),
        Err(why) => Err(Fault::made(why)),
    }
}

/// Lua itself could not go on.
pub(super) fn fault(error: &mlua::Error) -> Fault {
    Fault::made(format!("ERR {}", first_line(error)))
}

fn machine<'m>(eval: &'m mut Option<Machine>, seat: &Seat, bytes: usize) -> Result<&'m Machine, Fault> {
    if eval.is_none() {
        *eval = Some(Machine::new(seat, For::Eval, bytes).map_err(|error| fault(&error))?);
    }
    Ok(eval.as_ref().expect("it was just made"))
}

fn lower(digest: &[u8]) -> String {
    String::from_utf8_lossy(digest).to_ascii_lowercase()
}
