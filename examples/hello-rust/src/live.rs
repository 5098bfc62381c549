//! What stays open: a chat room by WebSocket and a stream of ticks by server-sent events.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::{Stream, StreamExt, stream};
use tokio::sync::broadcast::{self, Receiver, Sender};
use tokio::time::{MissedTickBehavior, interval};

/// Everyone in the room hears everyone, the speaker too.
#[derive(Clone)]
pub struct Room {
    said: Sender<String>,
}

impl Room {
    pub fn new() -> Room {
        Room { said: broadcast::channel(256).0 }
    }
}

pub async fn chat(State(room): State<Room>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(move |socket| talk(socket, room.said.clone(), room.said.subscribe()))
}

async fn talk(mut socket: WebSocket, said: Sender<String>, mut heard: Receiver<String>) {
    loop {
        let alive = tokio::select! {
            message = socket.recv() => match message {
                Some(Ok(Message::Text(text))) => said.send(text.to_string()).is_ok(),
                Some(Ok(Message::Binary(bytes))) => socket.send(Message::Binary(bytes)).await.is_ok(),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => true,
                Some(Ok(Message::Close(_)) | Err(_)) | None => false,
            },
            text = heard.recv() => match text {
                Ok(text) => socket.send(Message::Text(text.into())).await.is_ok(),
                Err(broadcast::error::RecvError::Lagged(_)) => true,
                Err(broadcast::error::RecvError::Closed) => false,
            },
        };
        if !alive {
            return;
        }
    }
}

pub async fn ticks() -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let mut every = interval(Duration::from_millis(200));
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let ticks = stream::unfold((every, 0_u64), |(mut every, number)| async move {
        every.tick().await;
        Some((number, (every, number + 1)))
    });
    Sse::new(ticks.map(|number| Ok(Event::default().event("tick").data(number.to_string())))).keep_alive(KeepAlive::default())
}
