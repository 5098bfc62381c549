//! Keys of the HTTP door whose rooms come later: checked now, then refused by name.

use settings::{Fault, Key, Kind, Section};

const YEAR: u64 = 31_536_000_000;

pub(super) const TLS: Key = Key::new(
    "tls",
    Kind::OneOrMany(&Kind::Either(&[Kind::Choice(&["acme", "internal"]), Kind::Table(&CERTIFICATE)])),
    "Certificates: `acme`, `internal`, a certificate and key, or a list of those. With it, `listen` is all TLS.",
)
.unbuilt();

pub(super) const PLAIN: Key =
    Key::new("plain", Kind::OneOrMany(&Kind::Listen), "With `tls`: listeners that only redirect and answer ACME.").unbuilt();

pub(super) const PROXY: Key = Key::new("proxy", Kind::Bool, "Connections must start with a PROXY line.").default("false").unbuilt();

pub(super) const PURGE: Key = Key::new("purge", Kind::Table(&WHO_PURGES), "Who may send PURGE; absent: nobody.").unbuilt();

pub(super) const CACHE: Key = Key::new("cache", Kind::Table(&CACHED), "The edge cache; absent: none.").unbuilt();

pub(super) const RATE: Key = Key::new("rate", Kind::OneOrMany(&Kind::Table(&LIMIT)), "Rate limits; more than one is a list.").unbuilt();

pub(super) const AUTH: Key = Key::new("auth", Kind::Table(&AUTHENTICATION), "Who may come in.").unbuilt();

const CERTIFICATE: Section = Section::new(
    "A certificate from files.",
    &[
        Key::new("cert", Kind::Path, "The certificate and its chain, PEM.").required(),
        Key::new("key", Kind::Path, "Its private key, PEM.").required(),
    ],
);

const WHO_PURGES: Section = Section::new("Who may purge.", &[Key::new("token", Kind::Secret, "The bearer token.").required()]);

const CACHED: Section = Section::new(
    "The edge cache.",
    &[
        Key::new("memory", Kind::Size(1 << 20, 1 << 40), "Bytes in memory.").default("256MB"),
        Key::new("disk", Kind::Table(&DISK), "The part on disk; absent: none."),
        Key::new("rule", Kind::List(&Kind::Table(&RULE)), "Lifetimes for apps that send no `Cache-Control`; their own headers win."),
    ],
);

const DISK: Section = Section::new(
    "The part of the cache on disk.",
    &[Key::new("dir", Kind::Path, "Its folder.").required(), Key::new("size", Kind::Size(1 << 20, 1 << 50), "Its bytes.").required()],
);

const RULE: Section = Section::new(
    "A lifetime by path.",
    &[
        Key::new("path", Kind::Text("a path, `*` at its end for all below", pattern), "The path, `*` at its end for all below.").required(),
        Key::new("ttl", Kind::Duration(0, YEAR), "How long an answer is fresh.").required(),
    ],
);

const LIMIT: Section = Section::new(
    "A rate limit.",
    &[
        Key::new("per", Kind::Text("\"ip\", \"user\", \"key\" or \"header:NAME\"", per), "Who is counted.").default("ip"),
        Key::new("rate", Kind::Rate, "How many requests in a time.").required(),
    ],
);

const AUTHENTICATION: Section = Section::new(
    "Who may come in: JWT by JWKS or a shared key, API keys, OIDC login.",
    &[
        Key::new("jwks", Kind::Url(&["https", "http"]), "Where the keys of JWTs are."),
        Key::new("key", Kind::Secret, "The shared key of JWTs."),
        Key::new("issuer", Kind::Text("a text", any), "The issuer that a JWT must name."),
        Key::new("audience", Kind::Text("a text", any), "The audience that a JWT must name."),
        Key::new("keys", Kind::Path, "A file of hashed API keys."),
        Key::new("oidc", Kind::Table(&OIDC), "Login by an OpenID provider."),
    ],
);

const OIDC: Section = Section::new(
    "Login by an OpenID provider.",
    &[
        Key::new("issuer", Kind::Url(&["https", "http"]), "The provider.").required(),
        Key::new("client", Kind::Text("a text", any), "The client's id.").required(),
        Key::new("secret", Kind::Secret, "The client's secret."),
    ],
);

fn any(text: &str) -> Result<(), Fault> {
    if text.is_empty() { Err(Fault::new("the text is empty")) } else { Ok(()) }
}

fn pattern(text: &str) -> Result<(), Fault> {
    match text {
        text if !text.starts_with('/') => {
            Err(Fault::new(format!("the path \"{text}\" does not begin with /")).hint(format!("write \"/{text}\"")))
        }
        text if text.trim_end_matches('*').contains('*') => {
            Err(Fault::new(format!("`*` stands inside \"{text}\"")).hint("it may only end the path"))
        }
        _ => Ok(()),
    }
}

fn per(text: &str) -> Result<(), Fault> {
    let header =
        text.strip_prefix("header:").is_some_and(|name| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
    if header || ["ip", "user", "key"].contains(&text) {
        return Ok(());
    }
    let near = settings::nearest(text, ["ip", "user", "key", "header:x-tenant"]);
    let hint = near.map_or_else(|| "write \"ip\", \"user\", \"key\" or \"header:NAME\"".into(), |near| format!("did you mean \"{near}\"?"));
    Err(Fault::new(format!("\"{text}\" is nobody to count")).hint(hint))
}
