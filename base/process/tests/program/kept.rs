//! What the tests run: `kept CODE SCRIPT…` keeps a server that runs every script by `sh -c`, and at SIGTERM asks
//! them to stop, waits for that, and ends with the status CODE. It prints `ready KEEPER SERVER CHILD…`, all pids.

use std::ffi::OsString;
use std::process::ExitCode;

use process::{Asked, Command, Keeper, Role, Signal};

fn main() -> ExitCode {
    match Role::of(std::env::args_os()) {
        Role::Hidden(hidden) => hidden.run(),
        Role::Server(arguments) => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            let code = runtime.block_on(serve(&arguments));
            std::process::exit(code)
        }
        Role::User(arguments) => process::run_keeper(&arguments[1..]),
    }
}

async fn serve(arguments: &[OsString]) -> i32 {
    let (keeper, mut orders) = Keeper::attach().expect("a keeper");
    let keeper_pid = rustix::process::getppid().expect("a parent").as_raw_nonzero();
    let mut line = format!("ready {keeper_pid} {}", std::process::id());
    let mut children = Vec::new();
    for script in &arguments[1..] {
        let command = Command {
            program: "sh".into(),
            arguments: vec!["-c".into(), script.clone()],
            env: std::env::vars_os().collect(),
            dir: "/".into(),
            user: None,
        };
        let child = keeper.spawn(command).await.expect("sh starts");
        line += &format!(" {}", child.pid);
        children.push(child);
    }
    println!("{line}");
    while orders.next().await != Asked::Stop {
        println!("reload");
    }
    for child in &children {
        child.process.signal(Signal::TERM).await;
    }
    for child in &children {
        child.process.gone().await;
    }
    arguments[0].to_str().and_then(|code| code.parse().ok()).expect("a status")
}
