//! `tls`: its files are read as the door will read them.

use std::path::PathBuf;
use std::time::SystemTime;

use settings::{Fault, Key, Kind, Report, Section, Table};

use crate::certificate::{Certificate, chain, config, key};
use crate::validity;

/// `tls` of a door.
pub const CERTIFICATE: Section = Section::new(
    "The door's certificate.",
    &[
        Key::new("cert", Kind::Path, "The certificate and its chain, PEM.").required(),
        Key::new("key", Kind::Path, "Its private key, PEM.").required(),
    ],
);

/// The certificate of a door that has `tls`; what the door could not use is a problem, what its clients may not believe at `now` a warning.
pub fn read(door: &Table, now: SystemTime, report: &mut Report) -> Option<Certificate> {
    let table = door.table("tls")?;
    let path = |name: &str| table.path_of(name).map(PathBuf::from);
    let (cert, key_path) = (path("cert"), path("key"));
    let place = |name: &str| table.get(name).map_or(table.place, |item| item.place);
    let fault = |name: &str, reason: &str| Fault::new(format!("`{}.{name}`: {reason}", table.path));
    let chain = cert.as_deref().map(chain);
    let secret = key_path.as_deref().map(key);
    for (name, reason) in
        [("cert", chain.as_ref().and_then(|read| read.as_ref().err())), ("key", secret.as_ref().and_then(|read| read.as_ref().err()))]
    {
        reason.into_iter().for_each(|reason| report.problem(place(name), fault(name, reason)));
    }
    let (cert, key) = (cert?, key_path?);
    if let (Some(Ok(chain)), Some(Ok(secret))) = (chain, secret) {
        let stale = chain.first().and_then(|own| validity::fault(own, now));
        let stale = stale.map(|why| fault("cert", &format!("{} {why}", cert.display())).hint("renew it, then `plimsoll reload`"));
        stale.into_iter().for_each(|fault| report.warning(place("cert"), fault));
        if let Err(reason) = config(chain, secret) {
            report.problem(place("key"), fault("key", &format!("{}: {reason}", key.display())));
        }
    }
    Some(Certificate { cert, key })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use settings::World;

    use super::*;

    const DOOR: Section = Section::new("", &[Key::new("tls", Kind::Table(&CERTIFICATE), "")]);

    /// What is told of a certificate in these files.
    fn told(cert: &Path, key: &Path) -> (String, String) {
        let world = World { folder: "/".into(), environment: Default::default(), root: false, ipv6: true };
        let text = format!("tls = {{ cert = '{}', key = '{}' }}", cert.display(), key.display());
        let (table, mut report) = settings::read("t", &text, &DOOR, &world);
        super::read(&table, SystemTime::now(), &mut report);
        let shown = |problems: settings::Problems| problems.to_string().replace(&cert.parent().unwrap().display().to_string(), "");
        (shown(report.problems), shown(report.warnings))
    }

    #[test]
    fn what_the_door_could_not_use_is_a_problem_of_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let write = |name: &str, text: &str| fs::write(at(name), text).unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        let mut parameters = rcgen::CertificateParams::new(vec!["localhost".into()]).unwrap();
        write("cert", &parameters.self_signed(&key).unwrap().pem());
        write("key", &key.serialize_pem());
        write("other", &rcgen::KeyPair::generate().unwrap().serialize_pem());
        write("text", "no certificate");
        write("broken", "-----BEGIN CERTIFICATE-----\n%%%\n-----END CERTIFICATE-----\n");
        parameters.not_after = rcgen::date_time_ymd(2001, 2, 3);
        write("old", &parameters.self_signed(&key).unwrap().pem());
        let problems = |cert: &str, key: &str| told(&at(cert), &at(key)).0;
        assert_eq!(told(&at("cert"), &at("key")), Default::default());
        for (cert, key, expected) in [
            ("absent", "key", "`tls.cert`: /absent cannot be read: No such file"),
            ("cert", "absent", "`tls.key`: /absent cannot be read: No such file"),
            ("text", "key", "`tls.cert`: /text holds no certificate in PEM"),
            ("broken", "key", "`tls.cert`: /broken is not PEM"),
            ("cert", "text", "`tls.key`: /text holds no private key in PEM"),
            ("cert", "cert", "`tls.key`: /cert holds no private key in PEM"),
            ("cert", "other", "`tls.key`: /other: the key is not that of the certificate"),
        ] {
            let said = problems(cert, key);
            assert!(said.contains(expected), "{said}");
        }
        assert_eq!(problems("text", "text").lines().count(), 2);
        let (problems, warnings) = told(&at("old"), &at("key"));
        assert!(problems.is_empty() && warnings.contains("/old has expired: it was good until 2001-02-03"), "{problems}{warnings}");
    }
}
