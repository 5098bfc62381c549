//! A keeper for the tests of this crate, and its guard; `postgres-keeper STATE` is a whole Plimsoll with nothing but an
//! embedded server over STATE: it prints `ready POSTMASTER SERVER SOCKET` and stops in order at SIGTERM.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use contract::{ServerAddress, ServerState};
use postgres::{Plan, Setup, Tier};
use process::{Asked, Keeper, Role};
use telemetry::{Log, Registry};

fn main() -> ExitCode {
    match Role::of(std::env::args_os()) {
        Role::Hidden(hidden) => hidden.run(),
        Role::Server(arguments) => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(serve(&arguments));
            std::process::exit(0)
        }
        Role::User(arguments) => process::run_keeper(&arguments[1..]),
    }
}

async fn serve(arguments: &[OsString]) {
    let (keeper, mut orders) = Keeper::attach().expect("a keeper");
    let state = PathBuf::from(&arguments[0]);
    let plan = Plan { databases: vec!["main".into()], bin: None, connections: 20 };
    let log = Log::start(Box::new(std::io::stderr())).0;
    let setup = Setup { keeper, state, environment: std::env::vars_os().collect(), log };
    let handle = Tier::start(plan, setup, &Registry::default()).expect("a state folder");
    let database = handle.database();
    database.want();
    let mut state = database.watch();
    let up = state.wait_for(|state| matches!(state, ServerState::Up(_))).await.expect("a tier");
    if let ServerState::Up(ServerAddress::Unix(socket)) = &*up {
        println!("ready {} {} {}", handle.status().pid.expect("it runs"), std::process::id(), socket.display());
    }
    drop(up);
    while orders.next().await != Asked::Stop {}
    handle.stop().await;
}
