//! A running door for one test, over one Postgres for all of them.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use contract::{Database, ServerAddress};
use loops::{Loops, listen};
use plimsoll_sql::{Handle, Limits, Listen, Password, Plan, Pool, ServerTls, SslMode, Tier};
use telemetry::{Log, Registry};
use testkit::postgres::PASSWORD;
use testkit::wire::{Login, Message};
use testkit::{Postgres, Wire, until};

pub const LOOPS: usize = 2;

/// Ends with the test process.
static SERVER: LazyLock<Postgres> = LazyLock::new(Postgres::start);

pub struct Door {
    pub handle: Handle,
    pub address: String,
    pub metrics: Registry,
    database: Database,
    loops: Loops,
}

/// So many server connections, no limits.
pub fn plan(servers: usize) -> Plan {
    let password = || Password(PASSWORD.into());
    let pool = Pool {
        server: servers,
        client: 1000,
        wait: Duration::from_secs(20),
        least: 0,
        idle: Duration::from_secs(60),
        age: Duration::from_secs(3600),
        statements: 100,
    };
    Plan {
        name: "main".into(),
        listen: Listen { address: "127.0.0.1:0".parse().unwrap(), written: true },
        primary: None,
        user: "app".into(),
        users: BTreeMap::from([("app".into(), password()), ("postgres".into(), password())]),
        database: "app".into(),
        server: ServerTls { mode: SslMode::Disable, roots: None },
        pool,
        limits: Limits::default(),
        tls: None,
        reuse: true,
        slow: None,
    }
}

/// The server behind all doors.
pub fn server() -> &'static Postgres {
    &SERVER
}

/// As the door sees it.
pub fn database(server: &Postgres) -> Database {
    Database::outside(ServerAddress::Tcp("127.0.0.1".into(), server.port()))
}

impl Door {
    /// A door with so many server connections.
    pub fn new(servers: usize) -> Door {
        Door::start(plan(servers))
    }

    pub fn start(plan: Plan) -> Door {
        Door::over(plan, server())
    }

    pub fn over(plan: Plan, server: &Postgres) -> Door {
        Door::with_log(plan, server, Log::nowhere())
    }

    pub fn with_log(plan: Plan, server: &Postgres, log: Log) -> Door {
        Door::before(plan, database(server), log)
    }

    /// Its server comes later.
    pub fn without_server(plan: Plan) -> Door {
        Door::before(plan, Database::outside(ServerAddress::Tcp("127.0.0.1".into(), 1)), Log::nowhere())
    }

    /// Its server is this one.
    pub fn before(plan: Plan, database: Database, log: Log) -> Door {
        let (loops, metrics) = (Loops::start(LOOPS).unwrap(), Registry::default());
        let listener = listen(plan.listen.address, LOOPS).unwrap();
        let handle = Tier::start(plan, database.clone(), listener, &loops, log, &metrics).unwrap();
        let address = handle.addresses()[0].to_string();
        Door { handle, address, database, loops, metrics }
    }

    /// What it is in front of.
    pub fn database(&self) -> Database {
        self.database.clone()
    }

    pub fn client(&self) -> Wire {
        self.log_in(&login())
    }

    pub fn log_in(&self, login: &Login) -> Wire {
        Wire::connect(&self.address, login).unwrap()
    }

    /// Waits until no server connection is lent.
    pub fn rests(&self) {
        until("every server connection is back", || self.handle.counts().busy == 0);
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.loops.end();
    }
}

pub fn login() -> Login {
    Login::new("app", "app")
}

/// The kinds of messages that come, up to and with so many `ReadyForQuery`.
pub fn kinds(wire: &mut Wire, readies: usize) -> String {
    let (mut kinds, mut left) = (String::new(), readies);
    while left > 0 {
        let Message { tag, body } = wire.receive().unwrap();
        kinds.push(tag as char);
        if tag == b'Z' {
            kinds.push(body[0] as char);
            left -= 1;
        }
    }
    kinds
}
