//! What is said of commands, and of how keys are kept.

use super::*;

#[test]
fn commands_that_belong_to_others_are_listed_and_asked_for_by_two_words() {
    let served = Served::new();
    let mut client = served.client();
    let listed = |client: &mut Wire, words: &str| client.all(&format!("COMMAND LIST {words}"));
    assert!(listed(&mut client, "").contains(&bulk("client|list")));
    assert_eq!(listed(&mut client, "FILTERBY PATTERN config|g*"), list(&["config|get"]));
    assert!(listed(&mut client, "FILTERBY ACLCAT scripting").contains(&bulk("script|kill")));
    client.says("CONFIG|GET save", "-ERR unknown command 'CONFIG|GET', with args beginning with: 'save' \r\n");
    client.says("GET|SET", "-ERR unknown command 'GET|SET', with args beginning with: \r\n");
    client.says("CONFIG GET_XX", "-ERR unknown subcommand 'GET_XX'. Try CONFIG HELP.\r\n");
}

#[test]
fn keys_of_a_script_may_be_none() {
    let served = Served::new();
    let mut client = served.client();
    client.says("COMMAND GETKEYS EVAL 'return 1' 0\r\nCOMMAND GETKEYS EVAL 'return 1' 2 a b", &format!("*0\r\n{}", list(&["a", "b"])));
    client.says("COMMAND GETKEYS ZUNION 0 a", "-ERR Invalid arguments specified for command\r\n");
}

#[test]
fn debug_object_tells_how_a_key_is_kept() {
    let served = Served::new();
    let mut client = served.client();
    client.says("SET a 1\r\nDEBUG OBJECT none", "+OK\r\n-ERR no such key\r\n");
    let told = client.all("DEBUG OBJECT a");
    assert!(told.starts_with("+Value at:") && told.contains(" encoding:int serializedlength:"), "{told}");
    assert!(told.ends_with(" lru_seconds_idle:0\r\n"), "{told}");
}
