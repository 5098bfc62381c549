use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Waker};

use rustls::pki_types::{PrivateKeyDer, ServerName};
use tokio::net::TcpListener;

use super::*;
use crate::{accept, connect};

fn on_a_loop(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build_local(Default::default()).unwrap().block_on(test);
}

async fn pair() -> (Stream, Stream) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = builder.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let socket = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (accepted, _) = listener.accept().await.unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let trusting = Arc::new(builder.with_root_certificates(roots).with_no_client_auth());
    let name = ServerName::try_from("localhost").unwrap();
    let (here, there) = tokio::join!(connect(socket, trusting, name), accept(accepted, Arc::new(config), &[]));
    (Stream::Tls(here.unwrap()), Stream::Tls(there.unwrap()))
}

fn is_readable(stream: &mut Stream) -> bool {
    stream.poll_readable(&mut Context::from_waker(Waker::noop())).is_ready()
}

#[test]
fn megabytes_go_through_both_ways_at_once() {
    on_a_loop(async {
        let (mut here, mut there) = pair().await;
        let bytes: Vec<u8> = (0..3_000_000_u32).map(|count| (count % 251) as u8).collect();
        let both = async |stream: &mut Stream| {
            let (mut sent, mut got, mut space) = (0, Vec::new(), vec![0; 10_000]);
            poll_fn(|context| {
                let _ = stream.poll_flush(context).map(Result::unwrap);
                while sent < bytes.len() {
                    let Poll::Ready(count) = stream.poll_write(context, &bytes[sent..]) else { break };
                    sent += count.unwrap();
                }
                while got.len() < bytes.len() {
                    let Poll::Ready(count) = stream.poll_read(context, &mut space) else { break };
                    got.extend_from_slice(&space[..count.unwrap()]);
                }
                if sent == bytes.len() && got.len() == bytes.len() { stream.poll_flush(context).map(Result::unwrap) } else { Poll::Pending }
            })
            .await;
            assert!(got == bytes);
        };
        tokio::join!(both(&mut here), both(&mut there));
    });
}

#[test]
fn what_is_decrypted_is_seen_and_survives_a_move() {
    on_a_loop(async {
        let (mut here, mut there) = pair().await;
        // Tickets of the handshake may still lie there: they are nothing to read.
        assert!(!is_readable(&mut here));
        there.write_all(b"hello").await.unwrap();
        poll_fn(|context| here.poll_readable(context)).await.unwrap();
        assert_eq!(here.glance(), Seen::Bytes);
        let mut space = [0; 2];
        assert_eq!(here.read(&mut space).await.unwrap(), 2);
        let mut here = here.unregister().unwrap().register().unwrap();
        assert!(here.glance() == Seen::Bytes && is_readable(&mut here));
        let mut rest = [0; 9];
        assert_eq!((here.read(&mut rest).await.unwrap(), &rest[..3]), (3, &b"llo"[..]));
        assert!(!is_readable(&mut here));
        drop(there);
        poll_fn(|context| here.poll_readable(context)).await.unwrap();
        assert_eq!(here.read(&mut rest).await.unwrap(), 0);
    });
}

#[test]
fn what_was_taken_and_did_not_fit_goes_while_the_stream_is_read() {
    on_a_loop(async {
        let (mut here, mut there) = pair().await;
        let (bytes, mut context) = (vec![7; 100_000], Context::from_waker(Waker::noop()));
        let mut taken = 0;
        while let Poll::Ready(count) = here.poll_write(&mut context, &bytes) {
            taken += count.unwrap();
        }
        assert!(here.poll_flush(&mut context).is_pending());
        let reading = async {
            let (mut got, mut space) = (0, vec![0; 65536]);
            while got < taken {
                got += there.read(&mut space).await.unwrap();
            }
            there.write_all(b"all").await.unwrap();
            got
        };
        let waiting = async { poll_fn(|context| here.poll_readable(context)).await.unwrap() };
        let (got, ()) = tokio::join!(reading, waiting);
        assert_eq!(got, taken);
        assert!(here.poll_flush(&mut context).is_ready());
    });
}
