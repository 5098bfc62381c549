//! Where the data and the socket may be, and who runs the server.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use process::Signal;

use crate::ground::{Ground, elsewhere, folder, mode, plan, signal};

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[tokio::test]
async fn root_has_the_server_run_by_another_user() {
    let ground = Ground::new();
    ground.up().await;
    let owner = std::fs::metadata(format!("/proc/{}", ground.pid())).unwrap().uid();
    assert_eq!(std::fs::metadata(ground.data()).unwrap().uid(), owner);
    if is_root() {
        assert_ne!((owner, ground.handle.status().user.as_deref()), (0, Some("nobody")));
        assert_eq!(std::fs::metadata(&ground.state).unwrap().mode() & 0o777, 0o701, "others may pass, not read");
    } else {
        assert_eq!(owner, rustix::process::geteuid().as_raw());
    }
    assert_eq!(std::fs::metadata(ground.data()).unwrap().mode() & 0o777, 0o700);
    assert_eq!(std::fs::metadata(ground.state.join("postgres/passwords")).unwrap().mode() & 0o777, 0o700);
    ground.handle.stop().await;
}

#[tokio::test]
async fn a_path_too_long_for_a_socket_is_no_hindrance() {
    let folder = folder();
    let state = folder.path().join("x".repeat(120)).join("state");
    std::fs::create_dir_all(&state).unwrap();
    mode(state.parent().unwrap(), 0o755);
    let ground = Ground::at(folder, &state, plan(&["main"]));
    let socket = ground.up().await;
    assert!(!socket.starts_with(&state) && socket.as_os_str().len() < 108, "{}", socket.display());
    assert!(ground.data().starts_with(state.canonicalize().unwrap()));
    assert_eq!(ground.sql("SELECT 1").await, "1");
    ground.handle.stop().await;
    assert!(!socket.parent().unwrap().exists(), "nothing of it is left");
}

/// As in root's own folder; who is not root owns what is closed, and is not kept out.
#[tokio::test]
async fn a_closed_parent_sends_the_data_to_the_systems_folder() {
    let folder = folder();
    let closed = folder.path().join("closed");
    let state = closed.join("state");
    std::fs::create_dir_all(&state).unwrap();
    mode(&closed, 0o700);
    let ground = Ground::at(folder, &state, plan(&["main"]));
    ground.up().await;
    let data = ground.data();
    assert_eq!(data.starts_with(elsewhere(&ground.folder)), is_root(), "{}", data.display());
    if is_root() {
        assert!(ground.lines.text().contains(&format!("{} keeps the user", closed.display())), "{}", ground.lines.text());
    }
    ground.sql("CREATE TABLE kept (n int)").await;
    ground.handle.stop().await;
    let mut ground = ground.again();
    ground.socket().await;
    assert_eq!((ground.data(), ground.sql("SELECT count(*) FROM kept").await.as_str()), (data.clone(), "0"));
    ground.handle.stop().await;
    // The project is moved.
    ground.state = closed.join("moved");
    std::fs::rename(&state, &ground.state).unwrap();
    let ground = ground.again();
    ground.socket().await;
    assert_eq!(ground.sql("SELECT count(*) FROM kept").await, "0");
    assert_eq!(ground.data().starts_with(elsewhere(&ground.folder)), is_root(), "{}", ground.data().display());
    ground.handle.stop().await;
}

/// Whoever is the server's user must not have root write where a link leads.
#[tokio::test]
async fn a_link_in_the_data_leads_nobody_out() {
    let ground = Ground::new();
    ground.up().await;
    let data = ground.data();
    ground.handle.stop().await;
    let ours = ground.folder.path().join("ours");
    std::fs::write(&ours, "kept").unwrap();
    mode(&ours, 0o600);
    let links = ["plimsoll.conf.new", "plimsoll_hba.conf.new", "plimsoll_ident.conf.new"].map(|name| data.join(name));
    links.iter().for_each(|link| std::os::unix::fs::symlink(&ours, link).unwrap());
    let ground = ground.again();
    ground.socket().await;
    let found = std::fs::metadata(&ours).unwrap();
    assert_eq!((std::fs::read_to_string(&ours).unwrap().as_str(), found.uid()), ("kept", rustix::process::geteuid().as_raw()));
    ground.handle.stop().await;
}

/// Somebody starts a server by hand over our data.
#[tokio::test]
async fn somebody_elses_server_on_the_data_is_refused_and_left_alone() {
    let ground = Ground::new();
    ground.up().await;
    let (data, status) = (ground.data(), ground.handle.status());
    ground.handle.stop().await;
    let postgres = Path::new(&status.bin.unwrap()).join("postgres");
    let run = Path::new(&status.socket.unwrap()).parent().unwrap().to_path_buf();
    let mut command = Command::new(postgres);
    command.env_clear().arg("-D").arg(&data).arg("-k").arg(&run).args(["-h", ""]).current_dir("/");
    let owner = std::fs::metadata(&data).unwrap();
    if is_root() {
        std::os::unix::process::CommandExt::uid(&mut command, owner.uid());
        std::os::unix::process::CommandExt::gid(&mut command, owner.gid());
    }
    let mut other = command.stderr(std::process::Stdio::null()).spawn().unwrap();
    crate::ground::until("the other server", || {
        std::fs::read_to_string(data.join("postmaster.pid")).is_ok_and(|text| text.contains("ready"))
    })
    .await;
    let ground = ground.again();
    let reason = ground.down().await;
    assert!(reason.contains(&format!("(pid {})", other.id())), "{reason}");
    assert!(other.try_wait().unwrap().is_none(), "it goes on");
    signal(other.id(), Signal::INT);
    other.wait().unwrap();
    ground.up().await;
    ground.handle.stop().await;
}
