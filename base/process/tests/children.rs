//! What the server sees of a child, over a keeper beside this test.

#![allow(clippy::unwrap_used)] // helpers of tests

use std::path::Path;

use process::{Child, Command, Exit, Keeper, Signal, User};
use tokio::io::AsyncReadExt;

fn keeper() -> Keeper {
    Keeper::beside(Path::new(env!("CARGO_BIN_EXE_kept"))).unwrap()
}

fn sh(script: &str) -> Command {
    Command {
        program: "sh".into(),
        arguments: vec!["-c".into(), script.into()],
        env: vec![("PATH".into(), std::env::var_os("PATH").unwrap()), ("WORD".into(), "hello".into())],
        dir: "/tmp".into(),
        user: None,
    }
}

async fn line(child: &mut Child) -> String {
    let mut text = Vec::new();
    while !text.ends_with(b"\n") {
        text.push(child.stdout.read_u8().await.unwrap());
    }
    String::from_utf8(text).unwrap()
}

#[tokio::test]
async fn output_environment_folder_and_status_are_as_asked() {
    let mut child = keeper().spawn(sh("echo $WORD $PWD; echo err >&2; exit 3")).await.unwrap();
    let (mut out, mut err) = (String::new(), String::new());
    child.stdout.read_to_string(&mut out).await.unwrap();
    child.stderr.read_to_string(&mut err).await.unwrap();
    assert_eq!((out.as_str(), err.as_str()), ("hello /tmp\n", "err\n"));
    assert_eq!(child.process.exited().await, Exit::Status(3));
    child.process.gone().await;
}

#[tokio::test]
async fn a_missing_program_or_folder_is_an_error() {
    let keeper = keeper();
    let missing = Command { program: "/no/such/program".into(), ..sh("") };
    assert_eq!(keeper.spawn(missing).await.unwrap_err().kind(), std::io::ErrorKind::NotFound);
    let nowhere = Command { dir: "/no/such/folder".into(), ..sh("") };
    assert_eq!(keeper.spawn(nowhere).await.unwrap_err().kind(), std::io::ErrorKind::NotFound);
}

/// Only root may ask for another user; the other case is the system's to refuse.
#[tokio::test]
async fn a_user_is_as_asked_or_refused() {
    let nobody = User { uid: 65_534, gid: 65_534 };
    let started = keeper().spawn(Command { user: Some(nobody), ..sh("id -u; id -g; id -G") }).await;
    if !rustix::process::geteuid().is_root() {
        return assert_eq!(started.unwrap_err().kind(), std::io::ErrorKind::PermissionDenied);
    }
    let mut out = String::new();
    started.unwrap().stdout.read_to_string(&mut out).await.unwrap();
    assert_eq!(out, "65534\n65534\n65534\n");
}

#[tokio::test]
async fn an_environment_larger_than_the_socket_arrives() {
    let mut command = sh("echo ${#LARGE}");
    command.env.extend((0..20).map(|number| (format!("MORE{number}").into(), "x".repeat(50_000).into())));
    command.env.push(("LARGE".into(), "x".repeat(100_000).into()));
    let mut child = keeper().spawn(command).await.unwrap();
    assert_eq!(line(&mut child).await, "100000\n");
}

#[tokio::test]
async fn signals_reach_the_whole_group() {
    let keeper = keeper();
    let mut child = keeper.spawn(sh("sh -c 'trap \"echo inner; exit\" TERM; echo up; while :; do sleep 0.01; done' & wait")).await.unwrap();
    assert_eq!(line(&mut child).await, "up\n");
    child.process.signal(Signal::TERM).await;
    assert_eq!(line(&mut child).await, "inner\n");
    assert_eq!(child.process.exited().await, Exit::Signal(15));
    child.process.gone().await;
}

#[tokio::test]
async fn what_a_dead_child_leaves_behind_is_ended() {
    let keeper = keeper();
    let mut child = keeper.spawn(sh("setsid sh -c 'trap \"\" TERM; echo up; while :; do sleep 1000; done' & sleep 1000")).await.unwrap();
    assert_eq!(line(&mut child).await, "up\n");
    rustix::process::kill_process(rustix::process::Pid::from_raw(child.pid as i32).unwrap(), Signal::KILL).unwrap();
    assert_eq!(child.process.exited().await, Exit::Signal(9));
    child.process.gone().await;
    // The pipe ends only when nobody holds it any more.
    let mut rest = String::new();
    child.stdout.read_to_string(&mut rest).await.unwrap();
}

#[tokio::test]
async fn what_nobody_waits_for_any_more_is_killed() {
    let (child, killed) = keeper().spawn_awaited(sh("sleep 100")).await.unwrap();
    drop(killed);
    assert_eq!(child.process.exited().await, Exit::Signal(Signal::KILL.as_raw()));
    let (child, killed) = keeper().spawn_awaited(sh("exit 3")).await.unwrap();
    assert_eq!(child.process.finished(async {}).await, Exit::Status(3));
    drop(killed);
}
