#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| http_door::fuzzing::chunk(bytes));
