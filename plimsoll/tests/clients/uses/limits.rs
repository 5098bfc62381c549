//! Limits by Flask-Limiter: they hold over all instances, each strategy counts by commands or scripts of its own.

use super::{Visitor, gunicorn, up};
use crate::scripts::without;

#[test]
fn limits_of_flask_limiter() {
    if without("python") {
        return;
    }
    let plimsoll = up(&gunicorn("flask_app:app"), "");
    for strategy in ["/fixed", "/moving", "/sliding"] {
        let mut ben = Visitor::new(&plimsoll, "ben");
        let mut ann = Visitor::new(&plimsoll, "ann");
        let answers: Vec<_> = (0..15).map(|_| ann.get(strategy)).collect();
        let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        assert_eq!(statuses, [[200; 10].as_slice(), &[429; 5]].concat(), "{strategy}");
        let left: Vec<_> = answers.iter().map(|answer| answer.header("x-ratelimit-remaining").unwrap()).collect();
        assert_eq!((left[0], left[9], left[14]), ("9", "0", "0"), "{strategy}");
        assert_eq!(ben.get(strategy).status, 200, "{strategy}: each visitor has a limit of their own");
    }
}
