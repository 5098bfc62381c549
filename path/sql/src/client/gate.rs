use std::collections::HashMap;
use std::sync::Arc;

use rustls::ServerConfig;
use tls::Certificate;

use crate::plan::{Password, Plan};
use crate::scram::{self, Keys};

/// What a client that starts with TLS at once must ask for (ALPN).
pub(super) const PROTOCOL: &[u8] = b"postgresql";

/// The door's certificate, ready for use.
#[derive(Debug)]
pub(crate) struct DoorTls {
    pub(super) config: Arc<ServerConfig>,
    /// What SCRAM binds to; `None` when the certificate's kind has none.
    pub(super) binding: Option<Arc<[u8]>>,
}

/// Reads certificate and key.
fn door(certificate: &Certificate) -> Result<DoorTls, String> {
    let (config, own) = certificate.load(&[PROTOCOL])?;
    Ok(DoorTls { config, binding: scram::certificate_hash(&own).map(Into::into) })
}

/// Who may come in, and how: made from a plan, the same for all loops.
#[derive(Debug)]
pub(crate) struct Gate {
    users: HashMap<Arc<str>, User>,
    /// The database of a client that names none.
    pub(super) database: Arc<str>,
    pub(super) tls: Option<DoorTls>,
    /// What the salts of users that do not exist are made of.
    unknown: [u8; 32],
}

/// One user.
#[derive(Debug)]
struct User {
    password: Password,
    keys: Keys,
}

impl Gate {
    /// Makes it; takes a millisecond for each user whose password `before` did not have, so not on a loop.
    ///
    /// # Errors
    /// What is wrong with the certificate.
    pub(crate) fn new(plan: &Plan, before: Option<&Gate>) -> Result<Gate, String> {
        let user = |(name, password): (&String, &Password)| {
            let kept = before.and_then(|gate| gate.users.get(&**name)).filter(|user| user.password == *password);
            let keys = kept.map_or_else(|| Keys::new(&password.0, scram::random()), |user| user.keys.clone());
            (Arc::from(&**name), User { password: password.clone(), keys })
        };
        Ok(Gate {
            users: plan.users.iter().map(user).collect(),
            database: plan.database.as_str().into(),
            tls: plan.tls.as_ref().map(door).transpose()?,
            unknown: before.map_or_else(scram::random, |gate| gate.unknown),
        })
    }

    /// The keys of `user` and its name as all its connections share it. One that does not exist has keys that no password
    /// fits and a salt that stays the same, so that asking tells nothing.
    pub(super) fn keys(&self, user: &str) -> (Keys, Option<Arc<str>>) {
        if let Some((name, user)) = self.users.get_key_value(user) {
            return (user.keys.clone(), Some(name.clone()));
        }
        let salt = scram::hmac(&self.unknown, user.as_bytes());
        let salt = *salt.first_chunk().expect("a hash is longer than a salt");
        (Keys { salt, stored: [0; scram::HASH], server: [0; scram::HASH] }, None)
    }

    /// Whether no user of both has another password than `before`.
    pub(crate) fn has_passwords_of(&self, before: &Gate) -> bool {
        self.users.iter().all(|(name, user)| before.users.get(name).is_none_or(|known| known.password == user.password))
    }

    /// The password that `user` has at the server.
    pub(crate) fn password(&self, user: &str) -> Option<&Password> {
        self.users.get(user).map(|user| &user.password)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_made_once_and_unknown_users_look_alike() {
        let plan = super::super::tests::plan();
        let gate = Gate::new(&plan, None).unwrap();
        let again = Gate::new(&plan, Some(&gate)).unwrap();
        assert_eq!(gate.keys("app").0.salt, again.keys("app").0.salt);
        assert_eq!(gate.keys("app").1.as_deref(), Some("app"));
        let (keys, name) = gate.keys("nobody");
        assert_eq!((keys.salt, name), (again.keys("nobody").0.salt, None));
        assert_ne!(keys.salt, gate.keys("nobody else").0.salt);
        assert_ne!(keys.salt, Gate::new(&plan, None).unwrap().keys("nobody").0.salt);
        assert_eq!(gate.password("app").map(|password| &*password.0), Some("secret"));
    }
}
