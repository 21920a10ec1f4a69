//! The callers: uploads and reads, whatever becomes of those before, and what each was told.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use circuit_layer::Clock;
use reqwest::Client;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::{JoinHandle, JoinSet};

use super::service::pause;

const EVERY: Duration = Duration::from_millis(10);

/// What callers were told so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    /// The uploads that were acknowledged, stored or queued.
    pub(crate) stored: Vec<u32>,
    /// What must not happen: no answer while the service runs, half of one, an internal error.
    pub(crate) wrong: Vec<String>,
    statuses: Vec<u16>,
    uploads: Vec<u16>,
}

impl Told {
    pub(crate) fn answered(&self) -> usize {
        self.statuses.len()
    }

    /// Uploads that were answered so.
    pub(crate) fn stored(&self, status: u16) -> usize {
        self.uploads.iter().filter(|told| **told == status).count()
    }
}

pub(crate) struct Callers {
    told: Arc<Mutex<Told>>,
    mood: Arc<Mood>,
    calls: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Mood {
    /// A connection may be refused.
    lenient: AtomicBool,
    /// No more calls.
    done: AtomicBool,
}

impl Callers {
    /// A hundred calls a second, every other one an upload to a number that no other has.
    pub(crate) fn begin(url: &str, first: u32) -> Self {
        let (told, mood) = (Arc::<Mutex<Told>>::default(), Arc::<Mood>::default());
        let (noted, shared) = (Arc::clone(&told), Arc::clone(&mood));
        let (client, url) = (Client::new(), url.to_owned());
        let calls = tokio::spawn(async move {
            let (mut asked, mut pace) = (JoinSet::new(), tokio::time::interval(EVERY));
            for id in (first..).take_while(|_| !shared.done.load(Ordering::Relaxed)) {
                pace.tick().await;
                let (client, url, told) = (client.clone(), url.clone(), Arc::clone(&noted));
                let mood = Arc::clone(&shared);
                asked.spawn(async move { call(&client, &url, id, &told, &mood).await });
                while asked.try_join_next().is_some() {}
            }
            asked.join_all().await;
        });
        Self { told, mood, calls }
    }

    fn told(&self) -> Told {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) async fn until(&self, limit: Duration, holds: impl Fn(&Told) -> bool) {
        until(limit, async || holds(&self.told())).await;
    }

    /// From now on a caller may be refused a connection.
    pub(crate) fn may_be_refused(&self) {
        self.mood.lenient.store(true, Ordering::Relaxed);
    }

    /// Ends the calls, once each has its answer or none.
    pub(crate) async fn end(self) -> Told {
        self.mood.done.store(true, Ordering::Relaxed);
        self.calls.await.unwrap();
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn call(client: &Client, url: &str, id: u32, told: &Mutex<Told>, mood: &Mood) {
    let product = format!("{url}/products/{}", id % 8 + 1);
    let is_upload = id.is_multiple_of(2);
    let request = match id % 4 {
        1 => client.get(product),
        3 => client.get(format!("{product}/photo")),
        _ => client.put(format!("{url}/products/{id}/photo")).body(picture(id)),
    };
    let answer = request.send().await;
    let mut note = None;
    let status = match answer {
        Ok(answer) => {
            let status = answer.status().as_u16();
            if let Err(error) = answer.bytes().await {
                note = Some(format!("{id}: half an answer: {error:?}"));
            }
            Some(status)
        }
        Err(error) => {
            if !mood.lenient.load(Ordering::Relaxed) || !(error.is_connect() || error.is_request())
            {
                note = Some(format!("{id}: no answer: {error:?}"));
            }
            None
        }
    };
    let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
    told.wrong.extend(note);
    let Some(status) = status else { return };
    if ![200, 201, 202, 404, 503].contains(&status) {
        told.wrong.push(format!("{id}: {status}"));
    }
    told.statuses.push(status);
    if is_upload {
        told.uploads.push(status);
        if status < 300 {
            told.stored.push(id);
        }
    }
}

/// An upload whose body is half there.
pub(crate) struct SlowUpload {
    pub(crate) id: u32,
    connection: TcpStream,
}

impl SlowUpload {
    pub(crate) async fn begin(url: &str, id: u32) -> Self {
        let address = url.strip_prefix("http://").unwrap();
        let mut connection = TcpStream::connect(address).await.unwrap();
        let (picture, path) = (picture(id), format!("/products/{id}/photo"));
        let length = picture.len();
        let head =
            format!("PUT {path} HTTP/1.1\r\nhost: {address}\r\ncontent-length: {length}\r\n\r\n");
        connection.write_all(head.as_bytes()).await.unwrap();
        connection.write_all(&picture[..HALF]).await.unwrap();
        Self { id, connection }
    }

    /// Sends the rest; the status of the answer.
    pub(crate) async fn end(mut self) -> u16 {
        let picture = picture(self.id);
        self.connection.write_all(&picture[HALF..]).await.unwrap();
        let mut answer = String::new();
        self.connection.read_to_string(&mut answer).await.unwrap();
        answer.split(' ').nth(1).unwrap().parse().unwrap()
    }
}

/// Of the bytes of an upload.
const HALF: usize = 2_000;

/// The bytes of an upload, which only that upload has.
pub(crate) fn picture(id: u32) -> Vec<u8> {
    id.to_le_bytes().repeat(1_000)
}

pub(crate) async fn photo(url: &str, id: u32) -> Option<Vec<u8>> {
    let answer = reqwest::get(format!("{url}/products/{id}/photo")).await.unwrap();
    let found = answer.status() == 200;
    let bytes = answer.bytes().await.unwrap().to_vec();
    found.then_some(bytes)
}

/// Waits until something holds, or fails the test.
pub(crate) async fn until(limit: Duration, mut holds: impl AsyncFnMut() -> bool) {
    let clock = Clock::default();
    let deadline = clock.now() + limit;
    while !holds().await {
        assert!(clock.now() < deadline, "not within {limit:?}");
        pause().await;
    }
}
