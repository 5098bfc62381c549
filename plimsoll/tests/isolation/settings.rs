//! Settings: what each client has set, and that nobody else's is ever seen.

use std::collections::BTreeMap;

use crate::client::Client;

/// A setting, the value that a client may give it (id, number) and what the server says of one never set.
pub struct Setting {
    pub name: &'static str,
    value: fn(usize, u64) -> String,
    default: &'static str,
}

/// Values are odd numbers where a unit follows, so that the server says them as they were written.
pub const SETTINGS: &[Setting] = &[
    Setting { name: "application_name", value: |id, n| format!("client {id} {n}"), default: "" },
    Setting { name: "work_mem", value: |id, n| format!("{}kB", 1001 + 2 * (id as u64 * 500 + n % 500)), default: "4MB" },
    Setting { name: "lock_timeout", value: |id, n| format!("{}ms", 10_000_001 + 2 * (id as u64 * 500 + n % 500)), default: "0" },
    Setting { name: "statement_timeout", value: |id, n| format!("{}ms", 20_000_001 + 2 * (id as u64 * 500 + n % 500)), default: "0" },
    Setting {
        name: "search_path",
        value: |id, n| format!("own_{id}, {}", ["public", "pg_catalog"][n as usize % 2]),
        default: "\"$user\", public",
    },
    Setting { name: "extra_float_digits", value: |id, n| (-(((id as u64 + n) % 16) as i64)).to_string(), default: "1" },
    Setting {
        name: "timezone",
        value: |id, n| ["Asia/Tokyo", "America/Lima", "Africa/Cairo"][(id + n as usize) % 3].into(),
        default: "UTC",
    },
    Setting {
        name: "datestyle",
        value: |id, n| ["German, DMY", "SQL, MDY", "Postgres, DMY"][(id + n as usize) % 3].into(),
        default: "ISO, MDY",
    },
    Setting {
        name: "default_transaction_isolation",
        value: |id, n| ["repeatable read", "serializable"][(id + n as usize) % 2].into(),
        default: "read committed",
    },
    Setting { name: "plimsoll.canary", value: |id, n| format!("canary {id} {n}"), default: "" },
];

/// What a session has set.
#[derive(Clone, Default)]
pub struct Values {
    /// Given at startup: what RESET goes back to.
    pub startup: BTreeMap<&'static str, String>,
    pub set: BTreeMap<&'static str, String>,
    /// By SET LOCAL, to the end of the transaction.
    pub local: BTreeMap<&'static str, String>,
    pub role: Option<String>,
}

impl Values {
    fn of(&self, setting: &Setting) -> &str {
        let name = setting.name;
        let found = self.local.get(name).or_else(|| self.set.get(name)).or_else(|| self.startup.get(name));
        found.map_or(setting.default, String::as_str)
    }

    pub fn search_path(&self) -> &str {
        self.of(SETTINGS.iter().find(|setting| setting.name == "search_path").unwrap())
    }

    pub fn forget(&mut self, name: &str) {
        self.set.remove(name);
        self.local.remove(name);
    }
}

/// As `pg_settings` writes it.
fn listed(name: &'static str) -> &'static str {
    match name {
        "timezone" => "TimeZone",
        "datestyle" => "DateStyle",
        name => name,
    }
}

impl Client<'_> {
    /// A setting and a value that no other client gives it (where there are enough).
    pub fn some_setting(&mut self) -> (&'static Setting, String) {
        let setting = &SETTINGS[self.random.below(SETTINGS.len())];
        let serial = self.serial();
        (setting, (setting.value)(self.id, serial))
    }

    /// By SET, by a function, with the value as a parameter, or as a row of the settings' view.
    pub fn set(&mut self) {
        let (setting, value) = self.some_setting();
        let name = setting.name;
        match self.random.below(4) {
            0 => {
                let literal = if name == "search_path" { value.clone() } else { format!("'{value}'") };
                self.query(&format!("SET {name} = {literal}")).fine();
            }
            1 => drop(self.query(&format!("SELECT set_config('{name}', '{value}', false)")).fine()),
            2 if name != "plimsoll.canary" => {
                self.ask("UPDATE pg_settings SET setting = $1 WHERE name = $2", &[&value, listed(name)]).fine();
            }
            _ => drop(self.ask("SELECT set_config($1, $2, false)", &[name, &value]).fine()),
        }
        self.model.values.local.remove(name);
        self.model.values.set.insert(name, value);
    }

    pub fn set_local(&mut self) {
        let (setting, value) = self.some_setting();
        self.query(&format!("SELECT set_config('{}', '{value}', true)", setting.name)).fine();
        self.model.values.local.insert(setting.name, value);
    }

    pub fn reset(&mut self) {
        let name = SETTINGS[self.random.below(SETTINGS.len())].name;
        if self.random.once_in(4) {
            self.query("RESET ALL").fine();
            self.model.values.set.clear();
            self.model.values.local.clear();
        } else if self.model.values.set.contains_key(name) || name != "plimsoll.canary" {
            self.query(&format!("RESET {name}")).fine();
            self.model.values.forget(name);
        }
    }

    pub fn set_role(&mut self) {
        if self.model.values.role.is_some() {
            let sql = self.random.of(&["RESET ROLE", "SET ROLE NONE"]);
            self.query(sql).fine();
            self.model.values.role = None;
        } else {
            let role = format!("role_{}", self.id);
            self.query(&format!("SET ROLE {role}")).fine();
            self.model.values.role = Some(role);
        }
    }

    /// All of them at once, asked in one of three ways.
    pub fn check_settings(&mut self) {
        let columns: Vec<String> =
            SETTINGS.iter().map(|setting| format!("coalesce(current_setting('{}', true), '')", setting.name)).collect();
        let sql = format!("SELECT current_user, {}", columns.join(", "));
        let answer = if self.random.once_in(2) { self.query(&sql) } else { self.ask(&sql, &[]) }.fine();
        let user = self.model.values.role.clone().unwrap_or_else(|| "app".into());
        let expected = [user].into_iter().chain(SETTINGS.iter().map(|setting| self.model.values.of(setting).to_owned()));
        let expected: Vec<Option<String>> = expected.map(Some).collect();
        assert_eq!(answer.rows, [expected], "settings of client {}", self.id);
        for (reported, name) in [("application_name", "application_name"), ("TimeZone", "timezone"), ("DateStyle", "datestyle")] {
            let setting = SETTINGS.iter().find(|setting| setting.name == name).unwrap();
            let known = self.wire().parameters.get(reported).cloned();
            assert_eq!(known.as_deref(), Some(self.model.values.of(setting)), "what client {} was told of {reported}", self.id);
        }
    }

    /// One of them by SHOW, and the path by what it finds.
    pub fn show(&mut self) {
        let setting = &SETTINGS[self.random.below(SETTINGS.len())];
        let answer = self.query(&format!("SHOW {}", setting.name));
        let expected = self.model.values.of(setting).to_owned();
        if setting.name == "plimsoll.canary" && expected.is_empty() && answer.code() == Some("42704") {
            return; // nobody has set it on this connection yet
        }
        assert_eq!(answer.value(), expected, "SHOW {} of client {}", setting.name, self.id);
    }

    pub fn own_table(&mut self) {
        let answer = self.query("SELECT v FROM mine");
        self.check_own_table(&answer);
    }

    pub fn check_own_table(&self, answer: &testkit::wire::Answer) {
        if self.model.values.search_path().starts_with("own_") {
            assert_eq!(answer.value(), self.id.to_string());
        } else {
            assert_eq!(answer.code(), Some("42P01"), "a table of another's schema: {answer:?}");
        }
    }
}
