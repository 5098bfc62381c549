//! Scripts and functions, through a door.

use super::*;

/// A command of these words, as a client of a library sends it.
fn command(words: &[&str]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    words.iter().for_each(|word| bytes.extend_from_slice(format!("${}\r\n{word}\r\n", word.len()).as_bytes()));
    bytes
}

impl Wire {
    fn asks(&mut self, words: &[&str]) {
        self.0.write_all(&command(words)).unwrap();
    }

    #[track_caller]
    fn answers(&mut self, words: &[&str], answer: &str) {
        self.asks(words);
        self.hears(answer);
    }

    /// Up to its end, and no byte more.
    fn line(&mut self) -> String {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            let mut byte = [0];
            self.0.read_exact(&mut byte).unwrap();
            line.push(byte[0]);
        }
        String::from_utf8(line).unwrap()
    }

    /// `EVAL` of a script without keys.
    #[track_caller]
    fn evals(&mut self, script: &str, answer: &str) {
        self.answers(&["EVAL", script, "0"], answer);
    }

    /// What it fails with, up to the script's name.
    fn fails(&mut self, script: &str) -> String {
        self.asks(&["EVAL", script, "0"]);
        let line = self.line();
        line.split(" script: ").next().unwrap_or_default().to_string()
    }
}

#[test]
fn scripts_call_commands_and_convert_what_they_hear() {
    let served = Served::new();
    let mut client = served.client();
    client.answers(&["EVAL", "return {KEYS[1], ARGV[1], ARGV[2]}", "1", "k", "a", "b"], "*3\r\n$1\r\nk\r\n$1\r\na\r\n$1\r\nb\r\n");
    client.evals("redis.call('set', 'a', 1.5) return redis.call('get', 'a')", "$3\r\n1.5\r\n");
    client.evals("return {redis.call('incr', 'n'), redis.call('get', 'none'), redis.call('ping')}", "*3\r\n:1\r\n$-1\r\n+PONG\r\n");
    client.evals("return {1.9, true, false, nil, 5}", "*3\r\n:1\r\n:1\r\n$-1\r\n");
    client.evals("redis.call('hset', 'h', 'f', 'v') redis.setresp(3) return redis.call('hgetall', 'h').map.f", "$1\r\nv\r\n");
    client.says("HELLO 3", "");
    client.until("modules\r\n*0\r\n");
    client.evals("redis.setresp(3) return redis.call('hgetall', 'h')", "%1\r\n$1\r\nf\r\n$1\r\nv\r\n");
    client.evals("return {double = 0.5}", ",0.5\r\n");
}

#[test]
fn errors_say_the_script_and_the_line() {
    let served = Served::new();
    let mut client = served.client();
    let script = "\nreturn redis.call('nothing')";
    client.asks(&["SCRIPT", "LOAD", script]);
    client.line();
    let digest = client.line();
    let fault = "-ERR Unknown Redis command called from script";
    client.evals(script, &format!("{fault} script: {}, on @user_script:2.\r\n", digest.trim()));
    for (script, fault) in [
        ("return nothing", "-ERR user_script:1: Script attempted to access nonexistent global variable 'nothing'"),
        ("x = 1", "-ERR user_script:1: Attempt to modify a readonly table"),
        ("redis.call = 1", "-ERR user_script:1: Attempt to modify a readonly table"),
        ("setmetatable(_G, {})", "-ERR Attempt to modify a readonly table"),
        ("local n, t = pairs(_G) t.x = 1", "-ERR user_script:1: Attempt to modify a readonly table"),
        ("getmetatable('').__index.len = 1", "-ERR user_script:1: Attempt to modify a readonly table"),
        ("return os.time()", "-ERR user_script:1: Script attempted to access nonexistent global variable 'os'"),
        ("return redis.call('blpop', 'a', 0)", "-ERR This Redis command is not allowed from script"),
        ("return cjson.decode('[1')", "-ERR user_script:1: Expected comma or array end but found T_END at character 3"),
        ("return string.rep()", "-ERR user_script:1: bad argument #1 to 'rep' (string expected, got no value)"),
        ("error({err = 'MINE is my own'})", "-MINE is my own"),
    ] {
        assert_eq!(client.fails(script), fault, "{script}");
    }
    client.evals("local ok, why = pcall(redis.call, 'nothing') return why", "$44\r\nERR Unknown Redis command called from script\r\n");
    client.evals("return redis.pcall('nothing')", "-ERR Unknown Redis command called from script\r\n");
    client.evals("return loadstring(string.dump(function() return 1 end))", "$-1\r\n");
}

#[test]
fn scripts_are_kept_by_their_digests() {
    let served = Served::new();
    let mut client = served.client();
    let digest = "e0e1f9fabfc9d4800c877a703b823ac0578ff8db";
    client.answers(&["EVALSHA", digest, "0"], "-NOSCRIPT No matching script. Please use EVAL.\r\n");
    client.evals("return 1", ":1\r\n");
    client.answers(&["EVALSHA", &digest.to_uppercase(), "0"], ":1\r\n");
    client.answers(&["SCRIPT", "EXISTS", digest, "ffff"], "*2\r\n:1\r\n:0\r\n");
    client.answers(&["SCRIPT", "FLUSH"], "+OK\r\n");
    client.answers(&["SCRIPT", "EXISTS", digest], "*1\r\n:0\r\n");
    client.answers(&["SCRIPT", "LOAD", "return 1"], &format!("$40\r\n{digest}\r\n"));
    // Of those that only EVAL has loaded some are forgotten.
    for number in 0..600 {
        client.evals(&format!("return {number} + 0"), &format!(":{number}\r\n"));
    }
    client.answers(&["SCRIPT", "EXISTS", digest], "*1\r\n:1\r\n");
    assert_eq!(served.handle.0.common.scripts.counts.scripts.load(Ordering::Relaxed), 501);
}

#[test]
fn a_script_is_done_at_once_with_all_its_keys() {
    let served = Served::new();
    let script =
        "local n = redis.call('get', KEYS[1]) or 0 redis.call('set', KEYS[1], n + 1) redis.call('incr', 'other:' .. n % 50) return n + 1";
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let mut client = served.client();
            std::thread::spawn(move || {
                for _ in 0..250 {
                    client.asks(&["EVAL", script, "1", "counter"]);
                    assert!(client.line().starts_with(':'));
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    let mut client = served.client();
    client.says("GET counter", "$4\r\n1000\r\n");
    client.evals("local all = 0 for n = 0, 49 do all = all + redis.call('get', 'other:' .. n) end return all", ":1000\r\n");
}

#[test]
fn transactions_have_scripts_among_their_commands() {
    let served = Served::new();
    let mut client = served.client();
    let script = "return redis.call('incrby', KEYS[1], ARGV[1])";
    client.says("MULTI\r\nSET a 1", "+OK\r\n+QUEUED\r\n");
    client.answers(&["EVAL", script, "1", "a", "5"], "+QUEUED\r\n");
    client.answers(&["EVAL", "return redis.call('nothing')", "0"], "+QUEUED\r\n");
    client.says("GET a", "+QUEUED\r\n");
    client.says("EXEC", "*4\r\n+OK\r\n:6\r\n-ERR Unknown Redis command");
    client.line();
    client.hears("$1\r\n6\r\n");
    // What is watched has changed.
    client.says("WATCH a", "+OK\r\n");
    served.client().says("SET a 2", "+OK\r\n");
    client.says("MULTI", "+OK\r\n");
    client.answers(&["EVAL", script, "1", "a", "5"], "+QUEUED\r\n");
    client.says("EXEC", "*-1\r\n");
}

#[test]
fn those_who_wait_are_served_by_what_a_script_does() {
    let served = Served::new();
    let (mut waits, mut client) = (served.client(), served.client());
    waits.send("BLPOP list 0");
    served.until_blocked(1);
    client.evals("redis.call('rpush', 'list', 'a') redis.call('rpush', 'list', 'b') return 1", ":1\r\n");
    waits.hears("*2\r\n$4\r\nlist\r\n$1\r\na\r\n");
}

/// Begins a script and waits until it takes too long.
fn endless(served: &Served, client: &mut Wire, words: &[&str]) {
    client.asks(words);
    testkit::until("it takes too long", || served.handle.0.common.scripts.busy().is_some());
}

#[test]
fn an_endless_script_holds_up_only_those_who_need_its_keys() {
    const BUSY: &str = "-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.\r\n";
    let served = Served::new();
    let (mut runs, mut other) = (served.client(), served.client());
    other.says("CONFIG SET busy-reply-threshold 20", "+OK\r\n");
    other.says("CONFIG GET lua-time-limit", "*2\r\n$14\r\nlua-time-limit\r\n$2\r\n20\r\n");
    other.says("SCRIPT KILL", "-NOTBUSY No scripts in execution right now.\r\n");
    // It catches what ends it, and begins again.
    let script = "local f = function() while true do redis.call('exists', KEYS[1]) end end while true do pcall(f) end";
    endless(&served, &mut runs, &["EVAL", script, "1", "held"]);
    other.says("GET held", BUSY);
    other.answers(&["EVAL", "return 1", "0"], BUSY);
    other.says("FUNCTION KILL", BUSY);
    let store = &served.handle.0.common.store;
    let far = (0..).map(|n| format!("far{n}")).find(|key| store.number_of(key.as_bytes()) != store.number_of(b"held")).unwrap();
    other.says(&format!("SET {far} x\r\nGET {far}"), "+OK\r\n$1\r\nx\r\n");
    other.says("PING", "+PONG\r\n");
    other.says("SCRIPT KILL", "+OK\r\n");
    assert!(runs.line().starts_with("-ERR Script killed by user with SCRIPT KILL..."));
    runs.says("GET held", "$-1\r\n");
    other.evals("return 1", ":1\r\n");
}

#[test]
fn a_script_that_has_written_is_not_killed() {
    let served = Served::new();
    let (mut runs, mut other) = (served.client(), served.client());
    other.says("CONFIG SET lua-time-limit 20", "+OK\r\n");
    other.says("SET go 0", "+OK\r\n");
    // It ends when somebody who need not wait for its keys says so.
    let script = "redis.call('set', KEYS[1], 'y') while redis.call('pubsub', 'numsub', 'end')[2] == 0 do end return 'done'";
    endless(&served, &mut runs, &["EVAL", script, "1", "held"]);
    other.send("SCRIPT KILL");
    assert!(other.line().starts_with("-UNKILLABLE Sorry the script already executed write commands"));
    other.send("SUBSCRIBE end");
    runs.hears("$4\r\ndone\r\n");
    runs.says("GET held", "$1\r\ny\r\n");
}

#[test]
fn those_who_were_there_before_hear_that_a_script_takes_too_long() {
    let served = Served::new();
    let (mut runs, mut other) = (served.client(), served.client());
    let mut waits: Vec<Wire> = (0..3).map(|_| served.client()).collect();
    other.says("CONFIG SET busy-reply-threshold 200", "+OK\r\n");
    runs.asks(&["EVAL", "while true do end", "1", "held"]);
    testkit::until("it runs", || served.handle.0.common.scripts.running().is_some());
    waits[0].send("GET held");
    waits[1].asks(&["EVAL", "return 1", "0"]);
    waits[2].says("MULTI", "+OK\r\n");
    waits[2].answers(&["EVAL", "return 1", "0"], "+QUEUED\r\n");
    waits[2].send("EXEC");
    assert!(waits[0].line().starts_with("-BUSY "));
    assert!(waits[1].line().starts_with("-BUSY "));
    assert!(waits[2].line().starts_with("-EXECABORT Transaction discarded because of: BUSY "));
    other.says("SCRIPT KILL", "+OK\r\n");
    assert!(runs.line().contains("killed by user"));
    waits[2].says("MULTI\r\nEXEC", "+OK\r\n*0\r\n");
}

#[test]
fn memory_of_scripts_is_bounded() {
    let served = Served::new();
    let mut client = served.client();
    let fault = client.fails("local t, text = {}, string.rep('x', 100000) for i = 1, 1e9 do t[i] = text .. i end");
    assert!(fault.contains("not enough memory"), "{fault}");
    client.evals("return 1", ":1\r\n");
    let used = served.handle.0.common.scripts.counts.eval_bytes.load(Ordering::Relaxed);
    assert!(used < 4 << 20, "{used} bytes are still used");
}

#[test]
fn marks_decide_what_a_script_may_do() {
    let served = Served::new();
    let mut client = served.client();
    let write = "return redis.call('set', 'a', 'b')";
    client.answers(&["EVAL_RO", write, "0"], "-ERR Write commands are not allowed from read-only scripts.");
    client.line();
    client
        .answers(&["EVAL", &format!("#!lua flags=no-writes\n{write}"), "0"], "-ERR Write commands are not allowed from read-only scripts.");
    client.line();
    client.answers(&["EVAL_RO", "#!lua\nreturn 1", "0"], "-ERR Can not execute a script with write flag using *_ro command.\r\n");
    client.answers(&["SET", "big", &"x".repeat(100_000)], "+OK\r\n");
    client.says("CONFIG SET maxmemory 1000", "+OK\r\n");
    assert_eq!(client.fails(write), "-OOM command not allowed when used memory > 'maxmemory'.");
    // A write goes on when the time to look for keys that may go is over.
    testkit::until("none was found", || {
        client.asks(&["EVAL", &format!("#!lua\n{write}"), "0"]);
        client.line().starts_with("-OOM allow-oom flag is not set on the script")
    });
    client.answers(&["EVAL", &format!("#!lua flags=allow-oom\n{write}"), "0"], "+OK\r\n");
    client.evals("return redis.call('get', 'a')", "$1\r\nb\r\n");
}

#[test]
fn functions_are_loaded_called_and_dumped() {
    let served = Served::new();
    let mut client = served.client();
    let code = "#!lua name=lib\n\
        redis.register_function('add', function(keys, args) return redis.call('incrby', keys[1], args[1]) end)\n\
        redis.register_function{function_name = 'look', callback = function(keys) return redis.call('get', keys[1]) end, flags = {'no-writes'}}";
    client.answers(&["FUNCTION", "LOAD", code], "$3\r\nlib\r\n");
    client.answers(&["FUNCTION", "LOAD", code], "-ERR Library 'lib' already exists\r\n");
    client.answers(&["FCALL", "ADD", "1", "n", "5"], ":5\r\n");
    client.answers(&["FCALL_RO", "look", "1", "n"], "$1\r\n5\r\n");
    client.answers(&["FCALL_RO", "add", "1", "n", "1"], "-ERR Can not execute a script with write flag using *_ro command.\r\n");
    client.answers(&["FCALL", "none", "0"], "-ERR Function not found\r\n");
    client.answers(
        &["FUNCTION", "LIST"],
        "*1\r\n*6\r\n$12\r\nlibrary_name\r\n$3\r\nlib\r\n$6\r\nengine\r\n$3\r\nLUA\r\n$9\r\nfunctions\r\n*2\r\n\
         *6\r\n$4\r\nname\r\n$3\r\nadd\r\n$11\r\ndescription\r\n$-1\r\n$5\r\nflags\r\n*0\r\n\
         *6\r\n$4\r\nname\r\n$4\r\nlook\r\n$11\r\ndescription\r\n$-1\r\n$5\r\nflags\r\n*1\r\n+no-writes\r\n",
    );
    client.asks(&["FUNCTION", "DUMP"]);
    let length: usize = client.line()[1..].trim().parse().unwrap();
    let mut dump = vec![0; length + 2];
    client.0.read_exact(&mut dump).unwrap();
    let restore = |how: &str| {
        let mut bytes = format!("*4\r\n$8\r\nFUNCTION\r\n$7\r\nRESTORE\r\n${length}\r\n").into_bytes();
        bytes.extend_from_slice(&dump);
        bytes.extend_from_slice(format!("${}\r\n{how}\r\n", how.len()).as_bytes());
        bytes
    };
    client.0.write_all(&restore("APPEND")).unwrap();
    client.hears("-ERR Library lib already exists\r\n");
    client.answers(&["FUNCTION", "DELETE", "lib"], "+OK\r\n");
    client.answers(&["FCALL", "add", "1", "n", "5"], "-ERR Function not found\r\n");
    client.0.write_all(&restore("APPEND")).unwrap();
    client.hears("+OK\r\n");
    client.0.write_all(&restore("REPLACE")).unwrap();
    client.hears("+OK\r\n");
    client.answers(&["FCALL", "add", "1", "n", "1"], ":6\r\n");
    client.answers(&["FUNCTION", "RESTORE", "nothing"], "-ERR DUMP payload version or checksum are wrong\r\n");
    client.answers(&["FUNCTION", "FLUSH"], "+OK\r\n");
    client.answers(&["FUNCTION", "LIST"], "*0\r\n");
}

#[test]
fn a_library_that_takes_long_to_load_is_refused() {
    let served = Served::new();
    let mut client = served.client();
    client.answers(
        &["FUNCTION", "LOAD", "#!lua name=a\nwhile true do end"],
        "-ERR Error registering functions: ERR FUNCTION LOAD timeout\r\n",
    );
    client.answers(
        &["FUNCTION", "LOAD", "#!lua name=a\nreturn redis.call('ping')"],
        "-ERR Error registering functions: ERR user_function:2: ",
    );
    client.hears("Script attempted to access nonexistent global variable 'call'\r\n");
    client.answers(&["FUNCTION", "LOAD", "#!lua name=a\nredis.register_function('f', function() return 1 end)"], "$1\r\na\r\n");
    client.answers(&["FCALL", "f", "0"], ":1\r\n");
}

#[test]
fn scripts_that_say_that_they_change_nothing_go_on_while_writes_pause() {
    let served = Served::new();
    let (mut admin, mut client) = (served.client(), served.client());
    let (reads, may_write) = ("\"#!lua flags=no-writes\\nreturn 1\"", "\"#!lua\\nreturn 2\"");
    let library =
        "\"#!lua name=l\\nredis.register_function{function_name='Reads', callback=function() return 3 end, flags={'no-writes'}}\"";
    admin.says(&format!("FUNCTION LOAD {library}\r\nCLIENT PAUSE 600000 WRITE"), "$1\r\nl\r\n+OK\r\n");
    client.says(&format!("EVAL {reads} 0\r\nEVAL_RO 'return 4' 0\r\nFCALL reads 0"), ":1\r\n:4\r\n:3\r\n");
    let digest = client.all(&format!("SCRIPT LOAD {reads}"));
    let digest = digest.lines().nth(1).expect("a digest").to_string();
    client.says(&format!("EVALSHA {digest} 0\r\nMULTI\r\nEVAL {reads} 0\r\nEXEC"), ":1\r\n+OK\r\n+QUEUED\r\n*1\r\n:1\r\n");
    client.send(&format!("EVAL {may_write} 0"));
    testkit::until("it waits", || admin.info("blocked_clients") == 1);
    admin.says("CLIENT UNPAUSE", "+OK\r\n");
    client.hears(":2\r\n");
}

#[test]
fn answers_of_each_type_reach_a_script_in_tests() {
    let served = Served::new();
    let mut client = served.client();
    client.evals("return redis.pcall('debug', 'protocol', 'double')", "-ERR This Redis command is not allowed from script\r\n");
    client.says("DEBUG SET-DISABLE-DENY-SCRIPTS 1", "+OK\r\n");
    client.evals("return redis.call('debug', 'protocol', 'integer')", ":12345\r\n");
    client.evals("redis.setresp(3) return redis.call('debug', 'protocol', 'double').double", ":3\r\n");
    client.evals("return redis.pcall('multi')", "-ERR This Redis command is not allowed from script\r\n");
    client.says("DEBUG SET-DISABLE-DENY-SCRIPTS 0", "+OK\r\n");
}
