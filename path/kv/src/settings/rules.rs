//! What must hold between keys of `[kv.NAME]`, and what its names may be.

use settings::{Fault, Report, Table, Value};

use super::users::{default_once, password};

/// Keys of a store in process.
const OWN: [&str; 6] = ["memcached", "memory", "ttl", "evict", "evict_keys", "persist"];

/// Milliseconds of ten years.
const MOST_TTL: u128 = 10 * 365 * 86_400_000;

pub(super) fn between_keys(kv: &Table, report: &mut Report) {
    here_or_remote(kv, report);
    beyond_loopback(kv, report);
    memcached_here(kv, report);
    default_once(kv, report);
    nothing_to_choose(kv, report);
}

/// A store is in process or elsewhere.
fn here_or_remote(kv: &Table, report: &mut Report) {
    let Some(remote) = kv.entry("remote") else { return };
    for own in kv.entries.iter().filter(|entry| OWN.contains(&entry.name.as_str())) {
        let (first, later) = if remote.place < own.place { (remote, own) } else { (own, remote) };
        let fault = Fault::new(format!("`{}.{}` clashes with `{}` (line {})", kv.path, later.name, first.name, first.place.line));
        report.problem(later.place, fault.hint("keep one: the store is in process, or remote"));
    }
}

/// Who could reach the store without proving anything may not; who does prove it should not be overheard.
fn beyond_loopback(kv: &Table, report: &mut Report) {
    let Some(item) = kv.get("listen") else { return };
    if let Value::Listen(address) = item.value
        && !address.ip().to_canonical().is_loopback()
    {
        if password(kv).is_none() {
            let fault =
                Fault::new(format!("`{}.listen`: the door listens beyond this machine, and nobody has to prove who they are", kv.path));
            let here = format!("add `password = {{ env = \"…\" }}`, or write \"127.0.0.1:{}\" and come by an SSH tunnel", address.port());
            report.problem(item.place, fault.hint(here));
        } else if !kv.has("tls") {
            let fault = format!(
                "`{}.listen`: the door listens beyond this machine, and passwords and values go over the network in plain",
                kv.path
            );
            report.warning(item.place, Fault::new(fault).hint("add `tls = { cert = \"…\", key = \"…\" }`"));
        }
    }
}

/// Clients of memcached speak no TLS here, and few of them can log in.
fn memcached_here(kv: &Table, report: &mut Report) {
    let Some(item) = kv.get("memcached") else { return };
    if let Value::Listen(address) = item.value
        && !address.ip().to_canonical().is_loopback()
    {
        let fault = Fault::new(format!("`{}.memcached`: it listens beyond this machine, in plain", kv.path));
        report.problem(item.place, fault.hint(format!("write \"127.0.0.1:{}\" and come by an SSH tunnel", address.port())));
    }
}

/// Where no key goes, there is none to choose from.
fn nothing_to_choose(kv: &Table, report: &mut Report) {
    if kv.text("evict") == Some("none") && kv.has("evict_keys") {
        let fault = Fault::new(format!("`{}.evict_keys` has no effect with `evict = \"none\"`", kv.path));
        report.warning(kv.place_of("evict_keys"), fault.hint("remove it: no key goes"));
    }
}

pub(super) fn value_within_request(max: &Table, report: &mut Report) {
    let (value, request) = (max.size("value"), max.size("request"));
    if value > request {
        let show = settings::show_size;
        let fault = Fault::new(format!("`{}.value` = {} is over `request` = {}", max.path, show(value), show(request)));
        report.problem(max.place_of("value"), fault.hint("a value is part of a request: raise `request`, or lower `value`"));
    }
}

/// Of names of keys.
pub(super) fn pattern(text: &str) -> Result<(), Fault> {
    if text.is_empty() { Err(Fault::new("the pattern is empty").hint("write \"*\" for all keys")) } else { Ok(()) }
}

/// How long a key is there.
pub(super) fn lifetime(text: &str) -> Result<(), Fault> {
    if text == "off" {
        return Ok(());
    }
    match settings::parse_duration(text)?.as_millis() {
        0 => Err(Fault::new("no key is there for no time").hint("write how long, \"30m\", or \"off\"")),
        ms if ms > MOST_TTL => {
            Err(Fault::new(format!("\"{text}\" is too long: at most 10 years")).hint("write \"off\" for keys that stay"))
        }
        _ => Ok(()),
    }
}

/// Of a store: plain enough for a label and a folder.
pub(super) fn name(name: &str) -> Result<(), Fault> {
    if (1..=40).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return Ok(());
    }
    Err(Fault::new(format!("{name:?} is no name here")).hint("use up to 40 letters, digits and `_`"))
}
