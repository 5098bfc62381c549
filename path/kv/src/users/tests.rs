use super::*;
use crate::command::admitted;
use crate::frame::Owned;

fn words(line: &str) -> Vec<&[u8]> {
    line.split(' ').map(str::as_bytes).collect()
}

/// A user that these rules make.
#[track_caller]
fn user(rules: &str) -> User {
    User::of_file("bob", Some("secret"), rules).unwrap()
}

#[track_caller]
fn check(rules: &str, line: &str) -> Result<(), Denied> {
    let args: Owned = words(line).into_iter().collect();
    let command = admitted(args.args()).expect("it is a command");
    user(rules).check(command, args.args())
}

/// What `ACL LIST` says of a user, behind its flags and password.
fn said(rules: &str) -> String {
    let said = String::from_utf8(user(rules).said()).unwrap();
    let hash = said.find('#').unwrap();
    said[hash + 66..].to_string()
}

fn refused(rules: &str) -> String {
    User::of_file("bob", None, rules).unwrap_err()
}

#[test]
fn commands_are_allowed_by_name_part_category_and_first_word() {
    for (rules, line, is_allowed) in [
        ("+get allkeys", "GET a", true),
        ("+get allkeys", "SET a 1", false),
        ("+@read ~*", "GET a", true),
        ("+@read ~*", "SET a 1", false),
        ("+@all -@write ~*", "SET a 1", false),
        ("+@all -set +@string ~*", "SET a 1", true),
        ("+config|get", "CONFIG GET x", true),
        ("+config|get", "CONFIG SET x y", false),
        ("+config -config|set", "CONFIG SET x y", false),
        ("+config -config|set", "CONFIG GET x", true),
        ("+select|0", "SELECT 0", true),
        ("+select|0", "SELECT 1", false),
        ("+select|0 -select", "SELECT 0", false),
        ("+debug|sleep", "DEBUG SLEEP 0", true),
        ("+debug|sleep", "DEBUG PROTOCOL string", false),
        ("+debug", "DEBUG PROTOCOL string", true),
        ("nocommands", "PING", false),
        // Whoever is here may say who it is, and leave.
        ("nocommands", "AUTH x", true),
        ("nocommands", "QUIT", true),
        ("-@all (+ping)", "PING", true),
    ] {
        assert_eq!(check(rules, line).is_ok(), is_allowed, "{rules}: {line}");
    }
}

#[test]
fn keys_are_allowed_by_pattern_and_by_what_is_done_to_them() {
    for (rules, line, denied) in [
        ("+@all ~cache:*", "MGET cache:1 cache:2", None),
        ("+@all ~cache:*", "MGET cache:1 other", Some(2)),
        ("+@all %R~a", "GET a", None),
        ("+@all %R~a", "SET a 1", Some(1)),
        ("+@all %W~a", "SET a 1", None),
        ("+@all %W~a", "GET a", Some(1)),
        ("+@all %W~a", "SET a 1 GET", Some(1)),
        ("+@all %W~a", "EXISTS a", None),
        ("+@all %W~a", "LPUSH a 1", None),
        ("+@all %W~a", "LPOP a", Some(1)),
        ("+@all %rw~a", "LPOP a", None),
        ("+@all %R~a %W~a", "LPOP a", None),
        ("+@all %R~a* %W~a", "LPOP a", Some(1)),
        ("+@all %R~a %W~b", "COPY a b", None),
        ("+@all %R~a %W~b", "COPY b a", Some(1)),
        ("+@all %R~a %W~b", "RENAME a b", Some(1)),
        ("+@all %R~a %W~b", "SUNIONSTORE b a", None),
        ("+@all %R~a %W~b", "ZUNIONSTORE b 2 a c", Some(4)),
        ("+@all %R~a %W~b", "BITFIELD a GET u8 0", None),
        ("+@all %R~a %W~b", "BITFIELD a SET u8 0 1", Some(1)),
        ("+@all %R~a %W~b", "SORT a STORE b", None),
        ("+@all %R~a %W~b", "SORT a STORE a", Some(3)),
        ("-@all +get ~a (+set ~b)", "SET b 1", None),
        ("-@all +get ~a (+set ~b)", "GET b", Some(1)),
        ("-@all +get ~a (+set ~b)", "SET a 1", Some(1)),
    ] {
        assert_eq!(check(rules, line).err(), denied.map(Denied::Key), "{rules}: {line}");
    }
}

#[test]
fn channels_are_allowed_by_pattern_and_patterns_as_they_are() {
    for (rules, line, denied) in [
        ("+@all &news:*", "SUBSCRIBE news:a news:b", None),
        ("+@all &news:*", "SUBSCRIBE news:a other", Some(2)),
        ("+@all &news:*", "PSUBSCRIBE news:*", None),
        ("+@all &news:*", "PSUBSCRIBE news:a*", Some(1)),
        ("+@all &news:*", "PUBLISH other x", Some(1)),
        ("+@all &news:*", "SPUBLISH news:a x", None),
        ("+@all", "PUBLISH a x", Some(1)),
        ("+@all", "UNSUBSCRIBE a", None),
        ("+@all allchannels", "PSUBSCRIBE a* b", None),
    ] {
        assert_eq!(check(rules, line).err(), denied.map(Denied::Channel), "{rules}: {line}");
    }
}

#[test]
fn rules_are_said_as_redis_says_them() {
    for (rules, expected) in [
        ("allkeys allchannels +@all", "~* &* +@all"),
        ("+@all -acl", "resetchannels +@all -acl"),
        ("~a %R~b %W~c %RW~d &x &y", "~a %R~b %W~c ~d resetchannels &x &y -@all"),
        ("~* +@hash +select|0 +ping", "~* resetchannels -@all +@hash +ping +select|0"),
        ("+@all -CLUSTER -migrate -client|tracking", "resetchannels +@all"),
        ("+cluster +module|list +get", "resetchannels -@all +get"),
        ("+@all -debug +debug|digest", "resetchannels +@all -debug +debug|digest"),
        ("+config|get +config|set -config|set", "resetchannels -@all +config|get"),
        ("-@all (+get ~a) (~b &c +@all)", "resetchannels -@all (~a resetchannels -@all +get) (~b resetchannels &c +@all)"),
    ] {
        assert_eq!(said(rules), expected, "{rules}");
    }
}

#[test]
fn whatever_is_said_makes_the_same_user() {
    for rules in [
        "+@all -@dangerous +keys",
        "+@read -@hash +hget +config|get",
        "-@all +@write -sort +xinfo",
        "+@slow -client|kill",
        "+@all -get -@fast",
    ] {
        let said = said(rules);
        assert_eq!(user(&said).rights().0.commands, user(rules).rights().0.commands, "{rules} -> {said}");
    }
}

#[test]
fn what_says_nothing_is_refused_with_the_word() {
    for (rules, text) in [
        ("+foo", "Error in ACL SETUSER modifier '+foo': Unknown command or category name in ACL"),
        ("+@foo", "Error in ACL SETUSER modifier '+@foo': Unknown command or category name in ACL"),
        ("-foo|cluster", "Error in ACL SETUSER modifier '-foo|cluster': Unknown command or category name in ACL"),
        ("+config|foo", "Error in ACL SETUSER modifier '+config|foo': Unknown command or category name in ACL"),
        ("+config|get|x", "Error in ACL SETUSER modifier '+config|get|x': Allowing first-arg of a subcommand is not supported"),
        ("+select|", "Error in ACL SETUSER modifier '+select|': Syntax error"),
        ("%x~a", "Error in ACL SETUSER modifier '%x~a': Syntax error"),
        ("%~a", "Error in ACL SETUSER modifier '%~a': Syntax error"),
        ("%R", "Error in ACL SETUSER modifier '%R': Syntax error"),
        ("foo", "Error in ACL SETUSER modifier 'foo': Syntax error"),
        ("<x", "Error in ACL SETUSER modifier '<x': The password you are trying to remove from the user does not exist"),
        ("(+get ~a", "Unmatched parenthesis in acl selector starting at '(+get'."),
    ] {
        assert_eq!(refused(rules), text);
    }
    assert!(refused("#ABC").ends_with("must be exactly 64 characters and contain only lowercase hexadecimal characters"));
    assert!(refused("~* ~a").contains("Try 'resetkeys' to start with an empty list of patterns"));
    assert!(refused("&* &a").contains("Try 'resetchannels' to start with an empty list of channels"));
}

#[test]
fn users_come_in_with_their_passwords_and_are_changed_where_they_stand() {
    let users = Users::new(&[user("+@all")]);
    assert!(!users.needs_login());
    assert!(users.log_in(b"bob", b"secret").is_some() && users.log_in(b"bob", b"other").is_none() && users.log_in(b"ann", b"x").is_none());
    assert!(users.log_in(DEFAULT, b"anything").is_some());
    assert!(users.set(b"bob", &[b"off"], false).is_err_and(|why| why.contains("plimsoll reload")));
    assert!(users.delete([&b"bob"[..]].into_iter()).is_err() && users.delete([DEFAULT].into_iter()).is_err());
    users.set(b"ann", &words("on >a >b"), false).unwrap();
    assert!(users.log_in(b"ann", b"a").is_some() && users.log_in(b"ann", b"b").is_some());
    users.set(b"ann", &words("<a"), false).unwrap();
    assert!(users.log_in(b"ann", b"a").is_none() && users.log_in(b"ann", b"b").is_some());
    // Nothing of it is done if one word is wrong.
    assert!(users.set(b"ann", &words("nopass wrong"), false).is_err() && users.log_in(b"ann", b"c").is_none());
    users.set(b"ann", &words("off"), false).unwrap();
    assert!(users.log_in(b"ann", b"b").is_none());
    assert!(users.set(b"a b", &[], false).is_err());
    users.set_password("x").unwrap();
    assert!(users.needs_login() && users.log_in(DEFAULT, b"y").is_none());
    users.set_password("").unwrap();
    assert!(!users.needs_login());
}

#[test]
fn those_of_the_file_go_with_it_and_others_stay() {
    let users = Users::new(&[user("+@all"), User::of_file("default", Some("x"), "+@all ~* &*").unwrap()]);
    users.set(b"ann", &words("on nopass"), false).unwrap();
    assert!(users.needs_login() && users.set_password("").is_err());
    assert_eq!(users.follow(&[]), [Box::from(&b"bob"[..]), DEFAULT.into()]);
    assert!(!users.needs_login() && users.get(b"bob").is_none() && users.get(b"ann").is_some());
    assert!(users.get(DEFAULT).is_some_and(|user| user.may_all));
}

#[test]
fn a_user_with_all_rights_is_not_looked_at_closely() {
    assert!(user("+@all ~* &*").may_all && user("allcommands allkeys allchannels").may_all);
    assert!(!user("+@all ~*").may_all && !user("+@all -get +get ~* &*").may_all && user("(+@all ~* &*)").may_all);
}
