//! Wrong files end in a clear report and nothing started: by `check`, by `up` and by `reload`.
//! What each key's wrong value says is in `config/`; here is that the verbs hold to it.
#![allow(clippy::unwrap_used)]

use std::process::Output;

use testkit::{Origin, Plimsoll, Up, get};

const BINARY: &str = env!("CARGO_BIN_EXE_plimsoll");

/// A line that would leave a file behind if anything were started.
const BUILD: &str = "build = [\"sh\", \"-c\", \"touch started\"]\nrun = [\"sh\", \"-c\", \"touch started; sleep 600\"]\n";

/// A wrong file, and what its report must name: the place and the way out.
const WRONG: &[(&str, &[&str])] = &[
    ("[app.shop]\nBUILDhelth = \"/healthz\"\n", &["plimsoll.toml:4:1", "helth", "health"]),
    ("[app.shop]\nBUILDstart = \"30\"\n", &["plimsoll.toml:4:", "30s"]),
    ("[app.shop]\nBUILDexternal = [\"127.0.0.1:1\"]\n", &["plimsoll.toml:4:", "run", "external"]),
    ("[app.shop]\nbuild = \"true\"\n", &["plimsoll.toml:1:", "run", "external"]),
    ("[app.a]\nBUILDroutes = [\"/x/\"]\n[app.b]\nBUILDroutes = [\"/x/\"]\n", &["plimsoll.toml:8:", "/x/"]),
    ("[app.shop]\nBUILDinstances = { min = 3, max = 2 }\n", &["plimsoll.toml:4:", "min", "max"]),
    ("[app.shop]\nrun = \"./no/such/program\"\n", &["plimsoll.toml:2:", "no/such/program"]),
    ("[app.shop]\nBUILDdir = \"no/such/folder\"\n", &["plimsoll.toml:4:", "no/such/folder"]),
    ("[http]\nlisten = [\"127.0.0.1:99999\"]\n[app.shop]\nBUILD", &["plimsoll.toml:2:"]),
    ("[http.max]\nbody = \"10 bananas\"\n[app.shop]\nBUILD", &["plimsoll.toml:2:", "MB"]),
    ("[http.cache]\nmemory = \"256MB\"\n[app.shop]\nBUILD", &["plimsoll.toml:1:", "cache"]),
    ("[app.shop]\nBUILD[app.shop]\n", &["plimsoll.toml:4:"]),
];

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn check_and_up_report_and_start_nothing() {
    for (wrong, named) in WRONG {
        let up = Up::new(BINARY, &wrong.replace("BUILD", BUILD));
        for verb in ["check", "up"] {
            let output = up.run(verb);
            assert_eq!(output.status.code(), Some(64), "{verb} of\n{wrong}\nsaid {}", said(&output));
            for word in *named {
                assert!(said(&output).contains(word), "{verb} of\n{wrong}\ndoes not say {word:?} in\n{}", said(&output));
            }
        }
        assert!(!up.folder().join("started").exists(), "something was started by\n{wrong}");
    }
}

#[test]
fn every_problem_is_reported_at_once() {
    let file =
        "nam = \"x\"\n[http]\nlisten = [\"nowhere\"]\n[http.timeout]\nhead = \"ten\"\n[app.shop]\nrun = \"true\"\nroutes = [\"api\"]\n";
    let report = said(&Up::new(BINARY, file).run("check"));
    for place in ["plimsoll.toml:1:1", "plimsoll.toml:3:", "plimsoll.toml:5:", "plimsoll.toml:8:"] {
        assert!(report.contains(place), "{place} is not in\n{report}");
    }
}

#[test]
fn reload_reports_each_and_the_old_file_keeps_serving() {
    let origin = Origin::answering("old");
    let good = format!("[http]\nlisten = [\"127.0.0.1:0\"]\n[app.old]\nexternal = [\"{}\"]\n", origin.address());
    let plimsoll = Plimsoll::start(BINARY, &good);
    for (wrong, named) in WRONG {
        plimsoll.write("plimsoll.toml", wrong.replace("BUILD", BUILD));
        let output = plimsoll.run("reload", &[]);
        assert!(matches!(output.status.code(), Some(1 | 64)), "reload of\n{wrong}\nsaid {}", said(&output));
        assert!(said(&output).contains(named[0]), "reload of\n{wrong}\nsaid {}", said(&output));
        assert_eq!(get(plimsoll.http(), "/").unwrap().text(), "old");
    }
    assert!(!plimsoll.folder().join("started").exists());
}

#[test]
fn bad_usage_is_64_and_a_missing_file_is_named() {
    let up = Up::new(BINARY, "");
    assert_eq!(up.command("no-such-verb").output().unwrap().status.code(), Some(64));
    let missing = Up::at(BINARY, up.folder().join("missing.toml"));
    let output = missing.run("up");
    assert_eq!(output.status.code(), Some(64));
    assert!(said(&output).contains("missing.toml"), "{}", said(&output));
}

#[test]
fn a_port_that_is_taken_is_an_error_and_never_shared() {
    let origin = Origin::answering("the other program");
    let file = format!("[http]\nlisten = [\"{0}\"]\n[app.old]\nexternal = [\"{0}\"]\n", origin.address());
    let output = Up::new(BINARY, &file).run("up");
    assert!(!output.status.success());
    assert!(said(&output).contains(&origin.address()), "{}", said(&output));
    assert_eq!(get(&origin.address(), "/").unwrap().text(), "the other program");
}
