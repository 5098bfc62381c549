use super::*;
use crate::User;

const NO_GET: &str = "-NOPERM this user has no permissions to run the 'get' command\r\n";
const NO_KEY: &str = "-NOPERM this user has no permissions to access one of the keys used as arguments\r\n";
const NO_CHANNEL: &str = "-NOPERM this user has no permissions to access one of the channels used as arguments\r\n";

/// A door with the users of a file.
fn with_users(users: Vec<User>) -> Served {
    Served::of(Plan { users, ..plan() })
}

#[test]
fn a_user_does_what_it_may_and_is_told_what_it_may_not() {
    let served = with_users(vec![User::of_file("bob", Some("b"), "+@read +@connection +acl|whoami +@pubsub ~cache:* &news:*").unwrap()]);
    let (mut admin, mut bob) = (served.client(), served.client());
    bob.says("AUTH bob wrong", "-WRONGPASS invalid username-password pair or user is disabled.\r\n");
    bob.says("AUTH bob b\r\nACL WHOAMI", "+OK\r\n$3\r\nbob\r\n");
    bob.says("GET cache:1\r\nGET other", &format!("$-1\r\n{NO_KEY}"));
    bob.says("SET cache:1 x", "-NOPERM this user has no permissions to run the 'set' command\r\n");
    bob.says("CONFIG GET x", "-NOPERM this user has no permissions to run the 'config|get' command\r\n");
    bob.says("PUBLISH news:a x\r\nPUBLISH a x", &format!(":0\r\n{NO_CHANNEL}"));
    let log = admin.all("ACL LOG");
    for (reason, object) in [("channel", "a"), ("command", "config|get"), ("command", "set"), ("key", "other"), ("auth", "AUTH")] {
        let said = format!(
            "$6\r\nreason\r\n{}$7\r\ncontext\r\n$8\r\ntoplevel\r\n$6\r\nobject\r\n{}$8\r\nusername\r\n{}",
            bulk(reason),
            bulk(object),
            bulk("bob")
        );
        assert!(log.contains(&said), "{said} in {log}");
    }
    assert!(admin.all("CLIENT LIST").contains(" user=bob "));
    admin.says("ACL SETUSER bob off", "-ERR The user 'bob' is written in the file: change it there, then `plimsoll reload`\r\n");
    admin.says("CLIENT KILL USER bob", ":1\r\n");
    bob.is_closed();
}

#[test]
fn a_change_holds_for_those_who_are_there() {
    let served = Served::new();
    let (mut admin, mut bob) = (served.client(), served.client());
    admin.says("ACL SETUSER bob on >b +@all ~* &*", "+OK\r\n");
    let greeting = greeting(bob.id());
    bob.says("HELLO 2 AUTH bob b\r\nGET a", &format!("{greeting}$-1\r\n"));
    bob.says("MULTI\r\nGET a\r\nSET b 1", "+OK\r\n+QUEUED\r\n+QUEUED\r\n");
    admin.says("ACL SETUSER bob -get", "+OK\r\n");
    let changed = "-NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This command is no longer \
                   allowed for the following reason: no permission to execute the command or subcommand\r\n";
    bob.says("EXEC", &format!("*2\r\n{changed}+OK\r\n"));
    bob.says("GET a\r\nSET a 1", &format!("{NO_GET}+OK\r\n"));
    bob.says("MULTI\r\nGET a\r\nEXEC", &format!("+OK\r\n{NO_GET}-EXECABORT Transaction discarded because of previous errors.\r\n"));
    admin.says("ACL SETUSER bob +get resetkeys ~a", "+OK\r\n");
    bob.says("LPUSH a1 x", NO_KEY);
    bob.says("DEL a\r\nLPUSH a 1\r\nSORT a BY nosort", ":1\r\n:1\r\n*1\r\n$1\r\n1\r\n");
    bob.says("SORT a BY w_*", "-ERR BY option of SORT denied due to insufficient ACL permissions.\r\n");
    bob.says("SORT a GET w_*", "-ERR GET option of SORT denied due to insufficient ACL permissions.\r\n");
    // It becomes the default one again.
    bob.says("RESET\r\nACL WHOAMI\r\nSORT a BY w_*", "+RESET\r\n$7\r\ndefault\r\n*1\r\n$1\r\n1\r\n");
    bob.says("AUTH bob b", "+OK\r\n");
    admin.says("ACL DELUSER bob nobody", ":1\r\n");
    bob.is_closed();
    admin.says("ACL DELUSER default", "-ERR The 'default' user cannot be removed\r\n");
}

/// What the client of this number is told, in RESP2.
fn greeting(id: u64) -> String {
    let texts = ["server", "redis", "version", "7.0.15", "proto"].map(bulk).concat();
    let rest = ["mode", "standalone", "role", "master", "modules"].map(bulk).concat();
    format!("*14\r\n{texts}:2\r\n{}:{id}\r\n{rest}*0\r\n", bulk("id"))
}

#[test]
fn who_hears_what_it_may_not_any_more_is_closed() {
    let served = Served::new();
    let (mut admin, mut one, mut other) = (served.client(), served.client(), served.client());
    admin.says("ACL SETUSER bob on nopass +@all &a &b* resetkeys", "+OK\r\n");
    one.says("AUTH bob x\r\nSUBSCRIBE a", &format!("+OK\r\n*3\r\n{}{}:1\r\n", bulk("subscribe"), bulk("a")));
    other.says("AUTH bob x\r\nPSUBSCRIBE b*", &format!("+OK\r\n*3\r\n{}{}:1\r\n", bulk("psubscribe"), bulk("b*")));
    admin.says("ACL SETUSER bob &c", "+OK\r\n");
    admin.says("PUBLISH a x\r\nPUBLISH b1 y", ":1\r\n:1\r\n");
    one.hears(&list(&["message", "a", "x"]));
    other.hears(&list(&["pmessage", "b*", "b1", "y"]));
    admin.says("ACL SETUSER bob resetchannels &a", "+OK\r\n");
    other.is_closed();
    admin.says("PUBLISH a x", ":1\r\n");
    one.hears(&list(&["message", "a", "x"]));
}

#[test]
fn nobody_comes_in_where_the_default_user_has_a_password() {
    let served = with_users(vec![User::of_file("default", Some("s"), "+@all ~* &*").unwrap()]);
    let mut client = served.client();
    client.says("GET a\r\nHELLO 3", &format!("-NOAUTH Authentication required.\r\n-{}\r\n", NO_HELLO));
    client.says("AUTH x\r\nAUTH s\r\nGET a", "-WRONGPASS invalid username-password pair or user is disabled.\r\n+OK\r\n$-1\r\n");
    client.says("CONFIG GET requirepass", &list(&["requirepass", ""]));
    let refused = client.all("CONFIG SET requirepass ''");
    assert!(refused.contains("written in the file") && refused.starts_with("-ERR CONFIG SET failed"), "{refused}");
    client.says("RESET\r\nGET a", "+RESET\r\n-NOAUTH Authentication required.\r\n");
}

const NO_HELLO: &str = "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option can be \
                        used to authenticate the client and select the RESP protocol version at the same time";

#[test]
fn rights_can_be_tried_listed_and_made() {
    let served = Served::new();
    let mut client = served.client();
    client.says("ACL SETUSER bob on >b -@all +get +@hash ~a (+set %W~b)", "+OK\r\n");
    client.says("ACL DRYRUN bob GET a\r\nACL DRYRUN bob SET b 1", "+OK\r\n+OK\r\n");
    client.says("ACL DRYRUN bob GET b", &bulk("This user has no permissions to access the 'b' key"));
    client.says("ACL DRYRUN bob PING", &bulk("This user has no permissions to run the 'ping' command"));
    client.says("ACL DRYRUN bob GET", "-ERR wrong number of arguments for 'get' command\r\n");
    client.says("ACL DRYRUN bob NONE x\r\nACL DRYRUN ann GET a", "-ERR Command 'NONE' not found\r\n-ERR User 'ann' not found\r\n");
    client.says("ACL USERS", &list(&["bob", "default"]));
    let hash = "3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d";
    let own = format!("user bob on #{hash} ~a resetchannels -@all +@hash +get (%W~b resetchannels -@all +set)");
    client.says("ACL LIST", &list(&[&own, "user default on nopass ~* &* +@all"]));
    let parts = |commands: &str, keys: &str| ["commands", commands, "keys", keys, "channels", ""].map(bulk).concat();
    let selector = format!("*1\r\n*6\r\n{}", parts("-@all +set", "%W~b"));
    let shown = format!(
        "*12\r\n{}{}{}{}{}{}{selector}",
        bulk("flags"),
        list(&["on"]),
        bulk("passwords"),
        list(&[hash]),
        parts("-@all +@hash +get", "~a"),
        bulk("selectors")
    );
    client.says("ACL GETUSER bob\r\nACL GETUSER ann", &format!("{shown}$-1\r\n"));
    assert_eq!(client.all("ACL GENPASS").len(), 64 + 7);
    assert_eq!(client.all("ACL GENPASS 5").len(), 2 + 6);
    client.says(
        "ACL CAT nothing\r\nACL CAT a b",
        "-ERR Unknown category 'nothing'\r\n-ERR unknown subcommand or wrong number of arguments for 'CAT'. Try ACL HELP.\r\n",
    );
    assert!(client.all("ACL SAVE").starts_with("-ERR This Redis instance is not configured to use an ACL file."));
}

#[test]
fn passwords_are_not_in_the_slow_log() {
    let served = Served::new();
    let mut client = served.client();
    client.says("CONFIG SET slowlog-log-slower-than 0\r\nSLOWLOG RESET", "+OK\r\n+OK\r\n");
    client.says("ACL SETUSER a on >secret\r\nCONFIG SET requirepass secret hz 20", "+OK\r\n+OK\r\n");
    let told = client.all("SLOWLOG GET");
    assert!(!told.contains("secret"), "{told}");
    assert!(told.contains(&list(&["ACL", "SETUSER", "(redacted)", "(redacted)", "(redacted)"])), "{told}");
    assert!(told.contains(&list(&["CONFIG", "SET", "requirepass", "(redacted)", "hz", "20"])), "{told}");
}

#[test]
fn who_was_killed_is_listed_no_more() {
    let served = Served::new();
    let (mut client, mut other) = (served.client(), served.client());
    let id = other.id();
    assert!(client.all("CLIENT LIST").contains(&format!("id={id} ")));
    let listed = client.all(&format!("CLIENT KILL ID {id}\r\nCLIENT LIST"));
    assert!(listed.starts_with(":1\r\n") && !listed.contains(&format!("id={id} ")), "{listed}");
}
