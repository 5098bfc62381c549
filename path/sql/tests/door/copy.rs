use testkit::wire::frames::{bind, copy_data, copy_done, copy_fail, execute, parse, query, sync};

use crate::setup::{Door, kinds};

#[test]
fn in_and_out() {
    let door = Door::new(1);
    let mut client = door.client();
    client.query("CREATE TEMP TABLE c (a int)").unwrap();
    client.send(&query("COPY c FROM STDIN")).unwrap();
    assert_eq!(client.receive().unwrap().tag, b'G');
    client.send(&[copy_data(b"1\n2\n"), copy_data(b"3\n"), copy_done()].concat()).unwrap();
    assert_eq!(kinds(&mut client, 1), "CZI");
    client.send(&query("COPY c TO STDOUT; SELECT count(*) FROM c")).unwrap();
    assert_eq!(kinds(&mut client, 1), "HdddcCTDCZI");
    client.send(&query("COPY c FROM STDIN")).unwrap();
    assert_eq!(client.receive().unwrap().tag, b'G');
    client.send(&[copy_data(b"4\n"), copy_fail("changed my mind"), query("SELECT count(*) FROM c")].concat()).unwrap();
    assert_eq!(kinds(&mut client, 2), "EZITDCZI");
    client.send(&query("COPY c FROM STDIN")).unwrap();
    assert_eq!(client.receive().unwrap().tag, b'G');
    client.send(&[copy_data(b"nonsense\n"), copy_data(b"5\n")].concat()).unwrap();
    assert_eq!(kinds(&mut client, 1), "EZI");
    client.send(&[copy_data(b"6\n"), copy_done(), query("SELECT 1")].concat()).unwrap();
    assert_eq!(kinds(&mut client, 1), "TDCZI");
}

#[test]
fn in_the_extended_protocol() {
    let door = Door::new(1);
    let mut client = door.client();
    client.query("CREATE TEMP TABLE c (a int)").unwrap();
    let copy = [parse("", "COPY c FROM STDIN"), bind("", "", &[]), execute("", 0), sync()].concat();
    client.send(&copy).unwrap();
    for tag in *b"12G" {
        assert_eq!(client.receive().unwrap().tag, tag);
    }
    client.send(&[copy_data(b"1\n"), copy_done(), sync()].concat()).unwrap();
    assert_eq!(kinds(&mut client, 1), "CZI");
    client.send(&copy).unwrap();
    for tag in *b"12G" {
        assert_eq!(client.receive().unwrap().tag, tag);
    }
    client.send(&[copy_data(b"nonsense\n"), copy_done(), sync()].concat()).unwrap();
    assert_eq!(kinds(&mut client, 1), "EZI");
    client.send(&[parse("", "COPY nothing FROM STDIN"), bind("", "", &[]), execute("", 0), sync(), query("SELECT 1")].concat()).unwrap();
    let answer = kinds(&mut client, 2);
    assert_eq!(answer, "12EZITDCZI");
}

/// What a client goes on sending after its COPY has failed goes nowhere, in whatever pieces it comes.
#[test]
fn data_after_a_failed_copy_in_pieces() {
    let door = Door::new(1);
    let mut client = door.client();
    client.query("CREATE TABLE IF NOT EXISTS pieces (a int)").unwrap();
    client.send(&query("COPY pieces FROM STDIN")).unwrap();
    while client.receive().unwrap().tag != b'G' {}
    let data = copy_data(b"nonsense\n");
    client.send(&data).unwrap();
    assert_eq!(kinds(&mut client, 1), "EZI");
    for cut in [1, 4, 5, 7] {
        client.send(&data[..cut]).unwrap();
        // time for the door to read it alone; whether it does changes nothing
        assert!(!client.hears_within(std::time::Duration::from_millis(30)).unwrap());
        client.send(&[&data[cut..], &copy_done()[..], &query("SELECT 1")[..]].concat()).unwrap();
        assert_eq!(kinds(&mut client, 1), "TDCZI");
    }
}
