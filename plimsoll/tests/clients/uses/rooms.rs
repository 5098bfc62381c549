//! A chat over two instances: what is said at one is heard at the other by way of the store's channels.

use testkit::{WebSocket, until};

use super::{node, up};
use crate::scripts::without;

#[test]
fn a_chat_over_two_instances() {
    if without("node") {
        return;
    }
    let plimsoll = up(&node(&["chat.cjs"]), "");
    let enter = || {
        let mut socket = WebSocket::open(plimsoll.http(), "/").unwrap();
        let instance = socket.text().unwrap();
        (instance, socket)
    };
    let (one, mut ann) = enter();
    let (mut other, mut ben) = enter();
    until("both instances are used", || {
        if other == one {
            (other, ben) = enter();
        }
        other != one
    });
    for number in 0..100 {
        let (speaker, instance) = if number % 2 == 0 { (&mut ann, &one) } else { (&mut ben, &other) };
        let said = format!("{number} of a hundred, äöü");
        speaker.send(&said).unwrap();
        for listener in [&mut ann, &mut ben] {
            assert_eq!(listener.text().unwrap(), format!("{instance} {said}"));
        }
    }
}
