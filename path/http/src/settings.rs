//! `[http]` and `[site]`: their definition, and the plan made of them.

use std::net::IpAddr;

use settings::{Fault, Item, Key, Kind, Report, Section, Table, Value};

use crate::{AccessLog, AppRoute, Listen, Max, Network, Plan, Site, Timeout};

mod later;

const DAY: u64 = 86_400_000;

/// `[http]`.
pub const HTTP: Section = Section::new(
    "The HTTP door. It is always there; without this section it listens on `127.0.0.1:8080`.",
    &[
        Key::new(
            "listen",
            Kind::OneOrMany(&Kind::Listen),
            "Addresses to listen on; `:8080` is every address of the machine, port 0 a free one. A written port that is taken is an error.",
        )
        .default("127.0.0.1:8080"),
        Key::new("hosts", Kind::OneOrMany(&Kind::Text("a host name", host)), "Host names served; absent: any. Another host is answered 421."),
        later::TLS,
        later::PLAIN,
        Key::new(
            "trust",
            Kind::OneOrMany(&Kind::Text("a network such as \"10.0.0.0/8\"", network_text)),
            "Networks of peers whose `Forwarded` and `X-Forwarded-*` headers are believed, read from the right. Absent: nobody, not even this machine.",
        ),
        Key::new(
            "log",
            Kind::Choice(&["off", "sampled", "full"]),
            "The access log, a JSON line for a request: `sampled` is one of a hundred and every answer of 500 and above.",
        )
        .default("off"),
        later::PROXY,
        later::PURGE,
        Key::new("max", Kind::Table(&MAX), "Bounds."),
        Key::new("timeout", Kind::Table(&TIMEOUT), "Waits."),
        later::CACHE,
        later::RATE,
        later::AUTH,
    ],
)
.rule(listens_once)
.mistaken(&[
    ("port", "write `listen = \"127.0.0.1:8080\"`"),
    ("host", "write `hosts = [\"…\"]` for names, `listen` for addresses"),
    ("domain", "write `hosts = [\"…\"]`"),
    ("domains", "write `hosts = [\"…\"]`"),
    ("bind", "write `listen`"),
    ("timeouts", "write `[http.timeout]`"),
    ("limits", "write `[http.max]`"),
]);

/// `[http.max]`.
const MAX: Section = Section::new(
    "Bounds of the HTTP door.",
    &[
        Key::new("body", Kind::Size(0, 1 << 40), "Bytes of a request body; beyond it 413.").default("10MB"),
        Key::new(
            "head",
            Kind::Size(1 << 10, 1 << 20),
            "Bytes of a request or response head; beyond it 431. A target has at most 8 KB, or `head` when that is less; beyond it 414.",
        )
        .default("32KB"),
        Key::new("headers", Kind::Integer(1, 1_000), "Header fields of a head; beyond it 431.").default("100"),
        Key::new("connections", Kind::Integer(1, 1_000_000), "Client connections in all; beyond it new ones are closed at once.")
            .default("20000"),
        Key::new("connections_per_ip", Kind::Integer(1, 1_000_000), "Client connections of one address.").default("1000"),
        Key::new("queue", Kind::Integer(0, 1_000_000), "Requests of one app that wait for a first healthy instance; beyond it 503.")
            .default("1000"),
        Key::new("in_flight", Kind::Integer(1, 1_000_000), "Requests open at one instance; beyond it another one, or the queue.")
            .default("1000"),
    ],
);

/// `[http.timeout]`.
const TIMEOUT: Section = Section::new(
    "Waits of the HTTP door.",
    &[
        Key::new("head", Kind::Duration(1, DAY), "From the first byte of a request head to its last; then 408.").default("10s"),
        Key::new("body", Kind::Duration(1, DAY), "The longest pause inside a body, from or to a client.").default("30s"),
        Key::new("idle", Kind::Duration(1, DAY), "A connection between requests, and before the first one.").default("75s"),
        Key::new("connect", Kind::Duration(1, DAY), "Connecting to an instance.").default("3s"),
        Key::new("first_byte", Kind::Duration(1, DAY), "From the request sent to the first byte of its answer; then 504.").default("60s"),
        Key::new("drain", Kind::Duration(0, DAY), "How long open requests may finish at a stop, a reload or a roll.").default("30s"),
        Key::new("upstream_idle", Kind::Duration(1, DAY), "A connection to an instance between requests; Node closes its own at 5 s.")
            .default("4s"),
        Key::new("queue", Kind::Duration(0, DAY), "Waiting for a first healthy instance while one starts; then 503.").default("10s"),
    ],
);

/// `[site]`.
pub const SITE: Section = Section::new(
    "The static site: it takes what no app has.",
    &[
        Key::new("dir", Kind::Path, "The folder of its files.").required(),
        Key::new("first", Kind::Bool, "A file that exists answers before any app, as Rails and Django expect.").default("false"),
    ],
)
.mistaken(&[("root", "write `dir`"), ("path", "write `dir`"), ("folder", "write `dir`"), ("public", "write `dir`")]);

/// What the file says about the HTTP door, checked key by key.
#[derive(Debug)]
pub struct Settings<'a> {
    /// `[http]`.
    pub http: &'a Table,
    /// `[site]`, when it is written.
    pub site: Option<&'a Table>,
    /// The apps that take requests.
    pub apps: Vec<AppRoute>,
    /// Whether an app is built: a folder of the site that is missing may still be made.
    pub builds: bool,
}

impl Settings<'_> {
    /// The plan; what does not hold together goes to the report.
    pub fn plan(self, report: &mut Report) -> Plan {
        let none = (Table::empty(&MAX, "http.max"), Table::empty(&TIMEOUT, "http.timeout"));
        Plan {
            listen: listen(self.http),
            hosts: texts(self.http.list("hosts")).map(|host| host.trim_end_matches('.').to_ascii_lowercase()).collect(),
            trust: texts(self.http.list("trust")).filter_map(|text| network(text).ok()).collect(),
            log: match self.http.choice("log").as_str() {
                "full" => AccessLog::Full,
                "sampled" => AccessLog::Sampled,
                _ => AccessLog::Off,
            },
            max: max(self.http.table("max").unwrap_or(&none.0)),
            timeout: timeout(self.http.table("timeout").unwrap_or(&none.1)),
            site: self.site.and_then(|table| site(table, self.builds, report)),
            apps: self.apps,
        }
    }
}

fn listen(http: &Table) -> Vec<Listen> {
    let written = http.list("listen").iter().filter_map(|item| match item.value {
        Value::Listen(address) => Some(Listen { address, written: true }),
        _ => None,
    });
    let written: Vec<Listen> = written.collect();
    if written.is_empty() { vec![Listen { address: ([127, 0, 0, 1], 8080).into(), written: false }] } else { written }
}

fn max(table: &Table) -> Max {
    Max {
        body: table.size("body"),
        head: usize::try_from(table.size("head")).unwrap_or(usize::MAX),
        headers: table.count("headers"),
        connections: table.count("connections"),
        connections_per_ip: table.count("connections_per_ip"),
        queue: table.count("queue"),
        in_flight: table.count("in_flight"),
    }
}

fn timeout(table: &Table) -> Timeout {
    Timeout {
        head: table.duration("head"),
        body: table.duration("body"),
        idle: table.duration("idle"),
        connect: table.duration("connect"),
        first_byte: table.duration("first_byte"),
        drain: table.duration("drain"),
        upstream_idle: table.duration("upstream_idle"),
        queue: table.duration("queue"),
    }
}

fn site(table: &Table, builds: bool, report: &mut Report) -> Option<Site> {
    let dir = table.path_of("dir")?;
    let place = table.get("dir").map_or(table.place, |item| item.place);
    match dir.metadata() {
        Ok(data) if data.is_dir() => {}
        Ok(_) => report.problem(place, Fault::new(format!("`site.dir`: {} is no folder", dir.display())).hint("write the folder it is in")),
        Err(_) if builds => {
            report
                .warning(place, Fault::new(format!("`site.dir`: there is no folder {} yet", dir.display())).hint("a `build` must make it"));
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            report.problem(
                place,
                Fault::new(format!("`site.dir`: there is no folder {}", dir.display())).hint("make it, or correct the path"),
            );
        }
        Err(error) => report.problem(place, Fault::new(format!("`site.dir`: {} cannot be read: {error}", dir.display()))),
    }
    Some(Site { dir: dir.to_path_buf(), first: table.bool("first") })
}

fn texts(items: &[Item]) -> impl Iterator<Item = &str> {
    items.iter().filter_map(|item| match &item.value {
        Value::Text(text) => Some(text.as_str()),
        _ => None,
    })
}

/// An address may be written once.
fn listens_once(http: &Table, report: &mut Report) {
    if http.get("listen").is_some_and(|item| matches!(&item.value, Value::List(items) if items.is_empty())) {
        report.problem(
            http.place_of("listen"),
            Fault::new("`http.listen` is empty").hint("name an address, or remove the key for 127.0.0.1:8080"),
        );
    }
}

fn host(text: &str) -> Result<(), Fault> {
    let bad = |reason: &str| Fault::new(format!("\"{text}\" is no host name: {reason}"));
    let name = text.trim_end_matches('.');
    if text.contains("://") {
        let name = text.split("://").nth(1).and_then(|rest| rest.split(['/', ':']).next()).unwrap_or_default();
        return Err(bad("it is a URL").hint(format!("write \"{name}\"")));
    }
    if name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok() {
        return Ok(());
    }
    if let Some((name, _)) = name.split_once(':') {
        return Err(bad("it has a port").hint(format!("write \"{name}\"; every port of `listen` serves it")));
    }
    if name.contains('*') {
        return Err(bad("patterns are not understood").hint("write every name, or leave `hosts` out to serve any"));
    }
    if !name.is_ascii() {
        return Err(bad("only ASCII is").hint("write its punycode form, \"xn--…\""));
    }
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if name.len() > 253 || !name.split('.').all(label) {
        return Err(bad("letters, digits, `-` and dots make one"));
    }
    Ok(())
}

fn network_text(text: &str) -> Result<(), Fault> {
    network(text).map(|_| ())
}

fn network(text: &str) -> Result<Network, Fault> {
    let bad = |reason: String| Fault::new(format!("\"{text}\" is no network: {reason}"));
    let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
    let base: IpAddr =
        address.parse().map_err(|_| bad(format!("`{address}` is no IP address")).hint("write \"10.0.0.0/8\" or one address"))?;
    let width = if base.is_ipv4() { 32 } else { 128 };
    let bits = bits.map_or(Ok(width), |bits| bits.parse().ok().filter(|bits| *bits <= width).ok_or(bits));
    let bits = bits.map_err(|bits| bad(format!("`/{bits}` is no prefix length")).hint(format!("write 0 to {width}")))?;
    let first = first_address(base, bits);
    if first != base {
        return Err(bad("bits behind the prefix are set".into()).hint(format!("write \"{first}/{bits}\"")));
    }
    Ok(Network { base, bits })
}

fn first_address(address: IpAddr, bits: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => IpAddr::V4((u32::from(address) & u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0)).into()),
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) & u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0)).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(text: &str) -> (Plan, Report) {
        static FILE: Section = Section::new("", &[Key::new("http", Kind::Table(&HTTP), ""), Key::new("site", Kind::Table(&SITE), "")]);
        let world = settings::World { folder: "/".into(), environment: Default::default(), root: false, ipv6: true };
        let (table, mut report) = settings::read("t", text, &FILE, &world);
        let none = Table::empty(&HTTP, "http");
        let http = table.table("http").unwrap_or(&none);
        let plan = Settings { http, site: table.table("site"), apps: Vec::new(), builds: false }.plan(&mut report);
        (plan, report)
    }

    #[test]
    fn an_empty_file_gives_the_defaults() {
        let (plan, report) = plan("");
        assert!(report.problems.is_empty());
        assert_eq!((plan.max, plan.timeout), (Max::default(), Timeout::default()));
        assert_eq!(plan.listen, [Listen { address: ([127, 0, 0, 1], 8080).into(), written: false }]);
        assert_eq!((plan.log, plan.site, plan.hosts.len()), (AccessLog::Off, None, 0));
    }

    #[test]
    fn every_key_reaches_the_plan() {
        let (plan, report) = plan(
            "http.listen = [':0', '127.0.0.1:1']\nhttp.hosts = 'Shop.Example.com.'\nhttp.trust = ['10.0.0.0/8', '::1']\nhttp.log = 'full'
             [http.max]\nbody = '0B'\nhead = '64KB'\nheaders = 7\nconnections = 8\nconnections_per_ip = 9\nqueue = 10\nin_flight = 11
             [http.timeout]\nhead='1s'\nbody='2s'\nidle='3s'\nconnect='4s'\nfirst_byte='5s'\ndrain='6s'\nupstream_idle='7s'\nqueue='8s'
             [site]\ndir = '/'\nfirst = true",
        );
        assert_eq!(report.problems.to_string(), "");
        assert_eq!(plan.listen.iter().map(|listen| listen.address.to_string()).collect::<Vec<_>>(), ["[::]:0", "127.0.0.1:1"]);
        assert_eq!((plan.hosts, plan.trust.len(), plan.log), (vec!["shop.example.com".to_string()], 2, AccessLog::Full));
        let max = plan.max;
        let counts = [max.headers, max.connections, max.connections_per_ip, max.queue, max.in_flight];
        assert_eq!((max.body, max.head, counts), (0, 65536, [7, 8, 9, 10, 11]));
        let t = plan.timeout;
        let waits = [t.head, t.body, t.idle, t.connect, t.first_byte, t.drain, t.upstream_idle, t.queue];
        assert_eq!(waits.map(|wait| wait.as_secs()), [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(plan.site, Some(Site { dir: "/".into(), first: true }));
    }

    #[test]
    fn networks_say_what_is_wrong() {
        assert_eq!(network("10.1.2.3/8").unwrap_err().suggestion.unwrap(), "write \"10.0.0.0/8\"");
        assert_eq!(network("0.0.0.0/0").unwrap().bits, 0);
        assert!(network("10.0.0.0/33").is_err() && network("local").is_err());
    }
}
