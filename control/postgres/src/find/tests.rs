use std::fs;

use super::*;

fn look(known: &[(&str, &str)]) -> impl Fn(&Path) -> Option<Result<(PathBuf, Version), String>> {
    let known: Vec<(PathBuf, Version)> =
        known.iter().map(|(folder, said)| (folder.into(), version(&format!("postgres (PostgreSQL) {said}")).unwrap())).collect();
    move |folder| Some(Ok(known.iter().find(|(known, _)| known == folder)?.clone()))
}

fn any(folders: &[&str]) -> Places {
    Places::Any(folders.iter().map(PathBuf::from).collect())
}

#[test]
fn versions_are_read() {
    let read = |said: &str| version(said).map(|version| (version.major, version.text));
    assert_eq!(read("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"), Some((15, "15.18".into())));
    assert_eq!(read("postgres (PostgreSQL) 19beta2\n"), Some((19, "19beta2".into())));
    assert_eq!(read("psql 15"), None);
}

#[test]
fn the_first_that_fits_the_data_is_used() {
    let (places, look) = (any(&["/none", "/new", "/old"]), look(&[("/new", "17.2"), ("/old", "15.18")]));
    assert_eq!(choose(&places, None, &look).unwrap().bin, Path::new("/new"));
    assert_eq!(choose(&places, Some(15), &look).unwrap().bin, Path::new("/old"));
    let missing = choose(&places, Some(14), &look).unwrap_err();
    assert_eq!(missing, Missing::Major { data: 14, here: vec!["17 (/new)".into(), "15 (/old)".into()], named: None });
}

#[test]
fn what_was_named_is_used_or_refused() {
    let named = Places::Only("/here".into(), "`bin`");
    assert_eq!(choose(&named, None, look(&[("/here", "16.1")])).unwrap().version.major, 16);
    assert_eq!(choose(&named, None, look(&[])), Err(Missing::Named("`bin`: /here holds no `postgres` and `initdb`".into())));
    let old = choose(&named, None, look(&[("/here", "9.6.24")]));
    assert_eq!(old, Err(Missing::Named("`bin`: /here: 9.6.24 is older than 13".into())));
    let other = choose(&named, Some(15), look(&[("/here", "16.1")])).unwrap_err();
    assert!(!other.can_be_fetched(Some(15)), "what is named stays named");
    let said = other.to_string();
    assert!(said.contains("`bin` names 16 (/here): name the folder of PostgreSQL 15, or remove it") && !said.contains("install"), "{said}");
}

#[test]
fn what_was_passed_over_is_told() {
    let refuse = |folder: &Path| (folder == Path::new("/closed")).then(|| Err("keeps the user out".to_string()));
    assert_eq!(
        choose(&any(&["/closed", "/x"]), None, refuse),
        Err(Missing::Any { data: None, passed: vec!["/closed: keeps the user out".into()] })
    );
}

#[test]
fn the_files_word_comes_first_then_the_environment_then_the_machine() {
    let environment = Environment::from([("PATH".into(), "/a:/b".into()), ("HOME".into(), "/h".into())]);
    let Places::Any(folders) = places(None, &environment, &["/cache/bin".into()]) else { panic!("nobody named one") };
    assert_eq!(folders[..2], [PathBuf::from("/a"), "/b".into()]);
    assert_eq!(folders[folders.len() - 2..], [PathBuf::from("/h/.nix-profile/bin"), "/cache/bin".into()]);
    let named = Environment::from([("PLIMSOLL_PG_BIN".into(), "/mine".into())]);
    assert_eq!(places(None, &named, &[]), Places::Only("/mine".into(), "PLIMSOLL_PG_BIN"));
    assert_eq!(places(Some(Path::new("/file")), &named, &[]), Places::Only("/file".into(), "`bin`"));
}

#[test]
fn the_newest_of_a_family_comes_first() {
    let scratch = tempfile::tempdir().unwrap();
    for name in ["postgresql@9", "postgresql@15", "postgresql@17", "postgresql", "postgrest"] {
        fs::create_dir(scratch.path().join(name)).unwrap();
    }
    let found = family(scratch.path(), "postgresql", "bin");
    let names: Vec<_> = found.iter().map(|folder| folder.parent().unwrap().file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["postgresql@17", "postgresql@15", "postgresql@9", "postgresql"]);
}

#[test]
fn only_a_build_that_can_read_the_data_is_fetched() {
    let none = |data| Missing::Any { data, passed: Vec::new() };
    assert!(none(None).can_be_fetched(Some(18)) && none(Some(18)).can_be_fetched(Some(18)) && !none(Some(15)).can_be_fetched(Some(18)));
    assert!(none(None).can_be_fetched(None), "it says why there is none");
    let other = |data| Missing::Major { data, here: Vec::new(), named: None };
    assert!(other(18).can_be_fetched(Some(18)) && !other(14).can_be_fetched(Some(18)));
    assert!(!Missing::Named(String::new()).can_be_fetched(Some(18)));
    assert!(none(Some(15)).to_string().contains("PostgreSQL 15, which made the data"));
}
