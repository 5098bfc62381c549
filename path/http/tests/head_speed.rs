//! How long a usual head takes; a figure for people, not a verdict: `cargo test --release --test head_speed -- --ignored --nocapture`.

#[test]
#[ignore = "a measurement"]
fn head_speed() {
    let browser = "GET /api/products/42?fields=name,price HTTP/1.1\r\nHost: shop.example.com\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\nAccept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\nAccept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br, zstd\r\nReferer: https://shop.example.com/\r\nConnection: keep-alive\r\nCookie: session=0123456789abcdef0123456789abcdef; theme=dark\r\nPriority: u=0, i\r\n\r\n";
    let small = "GET /1k HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n";
    for (name, head) in [("browser", browser), ("small", small)] {
        let per_head = (0..500).map(|_| plimsoll_http::fuzzing::read_often(head.as_bytes(), 2_000) / 2_000).min();
        println!("{name}: {} bytes, {per_head:?}", head.len());
    }
}
