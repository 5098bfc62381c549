//! RESP2, RESP3 and inline commands: bytes to arguments, answers to bytes.
