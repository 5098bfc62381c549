use super::*;

/// The data, the trailers and what is left behind the body.
fn read(bytes: &[u8]) -> Result<(Vec<u8>, Vec<u8>, usize), BadChunk> {
    read_split(bytes, &[])
}

/// The same, `bytes` given in parts that end at `cuts`.
fn read_split(bytes: &[u8], cuts: &[usize]) -> Result<(Vec<u8>, Vec<u8>, usize), BadChunk> {
    let mut scanner = ChunkScanner::default();
    let (mut data, mut at) = (Vec::new(), 0);
    for end in cuts.iter().copied().chain([bytes.len()]) {
        loop {
            let (taken, piece) = scanner.scan(&bytes[at..end])?;
            match piece.clone() {
                Piece::Data(range) => data.extend_from_slice(&bytes[at..end][range]),
                Piece::More => assert_eq!(at + taken, end, "all of it is taken"),
                Piece::End => return Ok((data, scanner.trailers().to_vec(), bytes.len() - at - taken)),
            }
            at += taken;
            if piece == Piece::More {
                break;
            }
        }
    }
    panic!("no end: {:?}", bytes.escape_ascii().to_string())
}

#[test]
fn bodies_with_one_reading() {
    for (text, data, trailers, left) in [
        ("0\r\n\r\n", "", "", 0),
        ("5\r\nhello\r\n0\r\n\r\nGET", "hello", "", 3),
        ("00A\r\n0123456789\r\n1;name=value\r\n!\r\n000\r\n\r\n", "0123456789!", "", 0),
        ("1; a=\"b c\";d\r\nx\r\n0;e\r\n\r\n", "x", "", 0),
        ("a\r\n\r\n0\r\n\r\nGET\r\n0\r\n\r\n", "\r\n0\r\n\r\nGET", "", 0),
        ("0\r\nX-Sum: 1\r\nGrpc-Status:0\r\n\r\n", "", "X-Sum: 1\r\nGrpc-Status:0\r\n", 0),
        ("0\r\nContent-Length: 1\r\nHost: b\r\nX: 1\r\nTransfer-Encoding: chunked\r\nX_Forwarded_For: 1\r\n\r\n", "", "X: 1\r\n", 0),
        ("0\r\nAuthorization: x\r\nSet-Cookie: x\r\nETag: x\r\nCookie: x\r\n\r\n", "", "ETag: x\r\n", 0),
    ] {
        let expected = (data.as_bytes().to_vec(), trailers.as_bytes().to_vec(), left);
        assert_eq!(read(text.as_bytes()), Ok(expected.clone()), "{text:?}");
        let every: Vec<usize> = (0..text.len()).collect();
        assert_eq!(read_split(text.as_bytes(), &every), Ok(expected), "{text:?} byte by byte");
    }
}

#[test]
fn bodies_without() {
    for text in [
        "\r\n",
        " 5\r\nhello\r\n0\r\n\r\n",
        "5 \r\nhello\r\n0\r\n\r\n",
        "5\t\r\nhello\r\n0\r\n\r\n",
        "5 ;a\r\nhello\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        "+5\r\nhello\r\n0\r\n\r\n",
        "-5\r\nhello\r\n0\r\n\r\n",
        "5_0\r\nhello\r\n0\r\n\r\n",
        "g\r\n",
        ";a\r\nhello\r\n0\r\n\r\n",
        "5;\r\nhello\r\n0\r\n\r\n",
        "5;a\nhello\r\n0\r\n\r\n",
        "5;a\rb\r\nhello\r\n0\r\n\r\n",
        "5;a\0\r\nhello\r\n0\r\n\r\n",
        "5\nhello\r\n0\r\n\r\n",
        "5\rhello\r\n0\r\n\r\n",
        "5\r\nhello\n0\r\n\r\n",
        "5\r\nhello\r0\r\n\r\n",
        "5\r\nhello0\r\n\r\n",
        "5\r\nhello!\r\n0\r\n\r\n",
        "5\r\nhell\r\n0\r\n\r\n",
        "5\r\nhello\r\n\r\n0\r\n\r\n",
        "0\r\n\n",
        "0\r\nX: y\n\r\n",
        "0\r\nX : y\r\n\r\n",
        "0\r\n X: y\r\n\r\n",
        "0\r\nX: y\r\n folded\r\n\r\n",
        "0\r\nno colon\r\n\r\n",
        "0\r\n: y\r\n\r\n",
        "0\r\nX: a\0b\r\n\r\n",
        "0\r\nX: a\rb\r\n\r\n",
        "0\r\n\rX",
        "FFFFFFFFFFFFFFFF\r\n",
        "0000000000000005\r\nhello\r\n0\r\n\r\n",
    ] {
        assert!(read(text.as_bytes()).is_err(), "{text:?}");
    }
}

#[test]
fn extensions_and_trailers_are_bounded() {
    let extension = |length: usize| format!("1;a={}\r\nx\r\n0\r\n\r\n", "b".repeat(length));
    assert!(read(extension(16 << 10).as_bytes()).is_err());
    assert!(read(extension(1 << 10).as_bytes()).is_ok());
    assert!(read("1;abcdefgh\r\nx\r\n".repeat(2_000).as_bytes()).is_err(), "over the whole body");
    let trailer = |length: usize| format!("0\r\nX: {}\r\n\r\n", "b".repeat(length));
    assert!(read(trailer(8 << 10).as_bytes()).is_err());
    assert!(read(trailer(4 << 10).as_bytes()).is_ok());
    let mut endless = ChunkScanner::default();
    let dropped = "0\r\n".to_owned() + &"Host: b\r\n".repeat(2_000);
    assert!(endless.scan(dropped.as_bytes()).is_err(), "those that are dropped count, too");
}

#[test]
fn data_may_pass_outside() {
    let mut scanner = ChunkScanner::default();
    assert_eq!(scanner.scan(b"A\r\n01"), Ok((5, Piece::Data(3..5))));
    assert_eq!(scanner.data_left(), 8);
    scanner.skip(8);
    assert_eq!(scanner.data_left(), 0);
    assert_eq!(scanner.scan(b"\r\n0\r\n\r\n"), Ok((7, Piece::End)));
    scanner.clear();
    assert_eq!(scanner.scan(b"0\r\n\r\n"), Ok((5, Piece::End)));
}
