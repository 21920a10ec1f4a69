//! kill -9, a hundred times, while S3 comes and goes.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::ResponseChecksumValidation;
use s3_service::test_server::S3Server;
use s3_service::{S3, Spool, Start};

use super::support::{entries, payload};
use crate::support::{BUCKET, server, until};

const KEYS: usize = 4;
const ROUNDS: u64 = 100;

/// What is known of one key.
#[derive(Clone, Debug, Default)]
struct Known {
    /// The last value that was answered for.
    acknowledged: u64,
    /// The last value that S3 was seen with.
    in_s3: u64,
    /// Where the next writer begins: past all that may have been on its way, answered or not.
    next: u64,
}

fn start(folder: &Path, endpoint: &str, keys: &[Known]) -> Child {
    let mut writer = Command::new(env!("CARGO_BIN_EXE_spool-writer"));
    writer.arg(folder).arg(endpoint);
    writer.args(keys.iter().map(|key| key.next.to_string()));
    writer.stdout(Stdio::piped()).spawn().unwrap()
}

/// Kills it after so many answers, wherever it is then; tells what was answered.
fn kill_after(writer: &mut Child, answers: u64, keys: &mut [Known]) {
    let mut lines = BufReader::new(writer.stdout.take().unwrap()).lines();
    let mut answered = 0;
    while answered < answers {
        note(&lines.next().expect("the writer ended by itself").unwrap(), keys);
        answered += 1;
    }
    writer.kill().unwrap();
    writer.wait().unwrap();
    for line in lines {
        note(&line.unwrap(), keys);
    }
}

fn note(line: &str, keys: &mut [Known]) {
    let (key, value) = line.split_once(' ').unwrap();
    let (key, value): (usize, u64) = (key.parse().unwrap(), value.parse().unwrap());
    assert!(keys[key].acknowledged < value);
    keys[key].acknowledged = value;
}

async fn in_s3(client: &Client, key: usize) -> u64 {
    let object = client.get_object().bucket(BUCKET).key(format!("k{key}")).send().await;
    let Ok(object) = object else { return 0 };
    let body = object.body.collect().await.unwrap().to_vec();
    String::from_utf8(body).unwrap().parse().unwrap()
}

/// The values of a key that wait in the folder, in the order of `ls`.
fn queued(folder: &Path, key: usize) -> Vec<u64> {
    let files = entries(folder);
    let own = files.iter().filter(|file| file.ends_with(&format!("-k{key}")));
    let values = own.map(|file| String::from_utf8(payload(&folder.join(file))).unwrap());
    values.map(|value| value.parse().unwrap()).collect()
}

#[tokio::test]
async fn a_hundred_kills_lose_no_answered_write_and_double_none() {
    let server = server().await;
    // The server keeps an object and its checksum apart, and a client that dies may come in between.
    let config = server.config();
    let config = config.response_checksum_validation(ResponseChecksumValidation::WhenRequired);
    let client = Client::from_conf(config.build());
    let folder = tempfile::tempdir().unwrap();
    let mut keys = vec![Known { next: 1, ..Known::default() }; KEYS];
    let mut seed = 12_345_u64;
    for round in 0..ROUNDS {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // Away for two rounds of three, so that there is a backlog to be killed in.
        if round % 3 == 0 {
            server.restart().await.unwrap();
        } else {
            server.kill().await;
        }
        let mut writer = start(folder.path(), &server.endpoint(), &keys);
        let answers = 1 + (seed >> 33) % 40;
        keys = tokio::task::spawn_blocking(move || {
            kill_after(&mut writer, answers, &mut keys);
            keys
        })
        .await
        .unwrap();
        server.restart().await.unwrap();
        for (key, known) in keys.iter_mut().enumerate() {
            let waiting = queued(folder.path(), key);
            let stored = in_s3(&client, key).await;
            assert!(waiting.is_sorted_by(|a, b| a < b), "{round}: order of {key}: {waiting:?}");
            assert!(stored >= known.in_s3, "{round}: {key} went back to {stored}, {known:?}");
            let last = waiting.last().copied().unwrap_or(0).max(stored);
            assert!(last >= known.acknowledged, "{round}: {key} lost: {last}, {known:?}");
            // What S3 has is older than all that waits, or the very first of it.
            let first = waiting.first().copied().unwrap_or(u64::MAX);
            assert!(stored <= first, "{round}: {first} of {key} would undo {stored}");
            known.in_s3 = stored;
            known.next = (known.next + 1).max(known.acknowledged + 2);
        }
    }
    drained(folder.path(), &server, &client, &keys).await;
}

async fn drained(folder: &Path, server: &S3Server, client: &Client, keys: &[Known]) {
    let s3 = S3::builder()
        .bucket(BUCKET)
        .endpoint(server.endpoint())
        .credentials(server.access_key(), server.secret_key())
        .start(Start::Lazy)
        // On a busy machine the breaker may open; the backlog must not wait a minute for it.
        .reset_timeout(Duration::from_millis(100))
        .spool(Spool::builder(folder))
        .build()
        .await
        .unwrap();
    let spool = s3.spool().unwrap();
    let last = |key| queued(folder, key).last().copied();
    let expected: Vec<_> = (0..KEYS).map(last).collect();
    let mut left = spool.status().depth;
    while left > 0 {
        until("the backlog shrinks", || spool.status().depth < left).await;
        left = spool.status().depth;
    }
    assert_eq!((spool.status().dead, spool.status().damaged), (0, 0));
    for (key, known) in keys.iter().enumerate() {
        let stored = in_s3(client, key).await;
        assert!(stored >= known.acknowledged, "{key}: {stored}, {known:?}");
        if let Some(last) = expected[key] {
            assert_eq!(stored, last, "{key}: the last of the queue is the last word");
        }
    }
}
