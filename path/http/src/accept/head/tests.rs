use super::*;

const BOUNDS: HeadBounds = HeadBounds { head: 32 << 10, target: 8 << 10, fields: 100 };

fn read(text: &str) -> Result<RequestHead, Refusal> {
    let mut head = RequestHead::default();
    match head.parse(text.as_bytes(), &BOUNDS)? {
        Progress::Whole(length) => assert_eq!(length, head.len()),
        Progress::Partial => panic!("partial: {text:?}"),
    }
    Ok(head)
}

/// A head with this line and these fields, each without its CR LF.
fn with(line: &str, fields: &[&str]) -> Result<RequestHead, Refusal> {
    read(&head_text(line, fields))
}

fn head_text(line: &str, fields: &[&str]) -> String {
    fields.iter().fold(format!("{line}\r\n"), |text, field| text + field + "\r\n") + "\r\n"
}

fn status(result: Result<RequestHead, Refusal>) -> u16 {
    result.map_or_else(|refusal| refusal.status, |_| 200)
}

#[test]
fn a_usual_head_is_taken_apart() {
    let text = head_text("POST /a/b?c=d HTTP/1.1", &["Host: shop.example:8080", "content-length: 12", "X-One:  two \t"]) + "next";
    let head = read(&text).unwrap();
    let bytes = text.as_bytes();
    assert_eq!((head.method, head.form, head.version), (Method::Post, Form::Origin, Version::Http11));
    assert_eq!(head.path(bytes), b"/a/b");
    assert_eq!(head.query.unwrap().of_buffer(bytes), b"c=d");
    assert_eq!(head.target.of_buffer(bytes), b"/a/b?c=d");
    assert_eq!(head.host.of_buffer(bytes), b"shop.example:8080");
    assert_eq!(head.framing, Framing::Length(12));
    assert!(head.keep_alive && !head.expect_continue && !head.websocket);
    assert_eq!(head.fields[2].value.of_buffer(bytes), b"two");
    assert_eq!(head.fields[2].line(bytes).of_buffer(bytes), b"X-One:  two \t\r\n");
    assert_eq!(&bytes[head.len()..], b"next");
}
