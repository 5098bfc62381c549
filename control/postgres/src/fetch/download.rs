//! Gets one pinned file and checks that it is the one.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ring::digest::{Context, SHA256};
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use super::pins::Pin;
use super::registry::{Kind, Registry};

/// Waits for a registry that says nothing.
const SILENCE: Duration = Duration::from_secs(60);
/// A whole file, over a slow line.
const LONGEST: Duration = Duration::from_secs(1800);
/// No index or file that we ask for is larger.
const LARGEST_PAGE: u64 = 32 << 20;
const LARGEST_FILE: u64 = 256 << 20;

/// A client that trusts whom this machine trusts (`SSL_CERT_FILE` too) and goes through its proxy.
pub(crate) fn agent() -> Agent {
    let trusted = rustls_native_certs::load_native_certs();
    let certificates: Vec<_> = trusted.certs.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).collect();
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::Specific(Arc::new(certificates)))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build();
    let config = Agent::config_builder()
        .tls_config(tls)
        .user_agent(concat!("plimsoll/", env!("CARGO_PKG_VERSION")))
        .timeout_connect(Some(SILENCE))
        .timeout_recv_response(Some(SILENCE))
        .timeout_global(Some(LONGEST))
        .build();
    config.into()
}

/// Writes the pinned file to `to`; a file with another digest is an error. `progress` hears bytes done and of how many.
pub(crate) fn get(
    agent: &Agent,
    pin: &Pin,
    registry: &Registry,
    to: &Path,
    progress: &mut dyn FnMut(u64, Option<u64>),
) -> Result<(), String> {
    let mut tried = String::new();
    for address in addresses(agent, pin, registry)? {
        match copy(agent, &address, registry, to, progress) {
            Ok(digest) if digest == pin.sha256 => return Ok(()),
            Ok(digest) => return Err(format!("{address} is not the file that was expected: SHA-256 {digest} instead of {}", pin.sha256)),
            Err(error) => tried = format!("{address}: {error}"),
        }
    }
    Err(tried)
}

/// Where the file may be, the likeliest first.
fn addresses(agent: &Agent, pin: &Pin, registry: &Registry) -> Result<Vec<String>, String> {
    match registry.kind {
        // Every npm registry has it there.
        Kind::Npm => Ok(vec![format!("{}/{}/-/{}", registry.base, pin.package, pin.file)]),
        Kind::Pypi => {
            let index = format!("{}/{}/", registry.base, pin.package);
            let page = page(agent, &index, registry).map_err(|error| format!("{index}: {error}"))?;
            let found = link(&page, pin.file).ok_or_else(|| format!("{index} does not name {}", pin.file))?;
            Ok(vec![absolute(&index, &found)])
        }
    }
}

fn page(agent: &Agent, address: &str, registry: &Registry) -> Result<String, ureq::Error> {
    let mut answer = request(agent, address, registry).call()?;
    answer.body_mut().with_config().limit(LARGEST_PAGE).read_to_string()
}

fn request(agent: &Agent, address: &str, registry: &Registry) -> ureq::RequestBuilder<ureq::typestate::WithoutBody> {
    let request = agent.get(address);
    match &registry.token {
        Some(token) => request.header("authorization", token),
        None => request,
    }
}

/// Copies and digests.
fn copy(
    agent: &Agent,
    address: &str,
    registry: &Registry,
    to: &Path,
    progress: &mut dyn FnMut(u64, Option<u64>),
) -> Result<String, String> {
    let answer = request(agent, address, registry).call().map_err(|error| error.to_string())?;
    let all = answer.body().content_length();
    let mut body = answer.into_body().into_with_config().limit(LARGEST_FILE).reader();
    let copied = File::create(to).and_then(|mut file| {
        let (mut context, mut buffer, mut done) = (Context::new(&SHA256), vec![0; 64 << 10], 0);
        loop {
            let count = match body.read(&mut buffer) {
                Ok(0) => return Ok(context.finish()),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            file.write_all(&buffer[..count])?;
            context.update(&buffer[..count]);
            done += count as u64;
            progress(done, all);
        }
    });
    let digest = copied.map_err(|error| error.to_string())?;
    Ok(digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The address of a file in an index, HTML or JSON (PEP 503, PEP 691): the quoted text that ends in its name.
fn link(page: &str, file: &str) -> Option<String> {
    let words = page.split(['"', '\'']).map(|word| word.split(['#', '?']).next().unwrap_or_default());
    // In HTML the name alone is between the tags; in JSON it is quoted too, without a path.
    let mut found: Vec<&str> =
        words.filter(|word| *word == file || word.strip_suffix(file).is_some_and(|begin| begin.ends_with('/'))).collect();
    found.sort_by_key(|word| !word.contains('/'));
    found.first().map(|word| word.replace("&amp;", "&"))
}

/// A link of a page as an address of its own.
fn absolute(page: &str, link: &str) -> String {
    if link.contains("://") {
        return link.to_string();
    }
    let host = page.find("://").and_then(|at| page[at + 3..].find('/').map(|slash| at + 3 + slash)).unwrap_or(page.len());
    if link.starts_with('/') {
        return format!("{}{link}", &page[..host]);
    }
    let (mut folder, mut rest) = (page.trim_end_matches('/'), link);
    while let Some(after) = rest.strip_prefix("../") {
        folder = folder.rsplit_once('/').map_or(folder, |(parent, _)| if parent.len() >= host { parent } else { folder });
        rest = after;
    }
    format!("{folder}/{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_found_in_either_kind_of_index() {
        let html =
            "<a href=\"https://files.example.com/p/a-1.whl#sha256=00\" data-x=\"y\">a-1.whl</a><a href='../../p/b-1.whl'>b-1.whl</a>";
        assert_eq!(link(html, "a-1.whl").as_deref(), Some("https://files.example.com/p/a-1.whl"));
        assert_eq!(link(html, "b-1.whl").as_deref(), Some("../../p/b-1.whl"));
        assert_eq!(link(html, "1.whl"), None);
        let json = r#"{"files":[{"filename":"a-1.whl","url":"https://files.example.com/p/a-1.whl"}]}"#;
        assert_eq!(link(json, "a-1.whl").as_deref(), Some("https://files.example.com/p/a-1.whl"));
    }

    #[test]
    fn links_are_of_their_page() {
        let page = "https://h.example.com/x/simple/name/";
        assert_eq!(absolute(page, "https://o.example.com/a"), "https://o.example.com/a");
        assert_eq!(absolute(page, "/p/a"), "https://h.example.com/p/a");
        assert_eq!(absolute(page, "../../p/a"), "https://h.example.com/x/p/a");
        assert_eq!(absolute(page, "a"), "https://h.example.com/x/simple/name/a");
    }
}
