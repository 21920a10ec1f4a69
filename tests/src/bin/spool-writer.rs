//! Writes to a spool until it is killed: the victim of the tests of the upload queue.
//!
//! ```text
//! spool-writer FOLDER                         opens the spool and closes it
//! spool-writer FOLDER ENDPOINT FIRST ...      writes a key for each FIRST, counting up from it
//! ```
//! Each answer is a line, `KEY VALUE`, written before the next write to that key begins.

use std::error::Error;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use s3_service::{S3, Spool, Start, Upload};

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let run = match arguments.as_slice() {
        [folder] => look(folder).await,
        [folder, endpoint, firsts @ ..] => write(folder, endpoint, firsts).await,
        [] => Err("usage: spool-writer FOLDER [ENDPOINT FIRST ...]".into()),
    };
    match run {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let mut text = error.to_string();
            let mut source = error.source();
            while let Some(error) = source {
                text = format!("{text}: {error}");
                source = error.source();
            }
            // Nobody is left to tell if this fails.
            drop(writeln!(std::io::stderr(), "{text}"));
            ExitCode::FAILURE
        }
    }
}

async fn look(folder: &str) -> Result<(), Box<dyn Error>> {
    let spool = Spool::builder(folder).open("bucket").await?;
    spool.close().await?;
    Ok(())
}

async fn write(folder: &str, endpoint: &str, firsts: &[String]) -> Result<(), Box<dyn Error>> {
    let s3 = S3::builder()
        .bucket("bucket")
        .endpoint(endpoint)
        .credentials("test-access-key", "test-secret-key")
        .max_attempts(1)
        .fail_max(1)
        .reset_timeout(Duration::from_millis(20))
        .start(Start::Lazy)
        .spool(Spool::builder(folder))
        .build()
        .await?;
    let mut writers = tokio::task::JoinSet::new();
    for (key, first) in firsts.iter().enumerate() {
        let (s3, first) = (s3.clone(), first.parse::<u64>()?);
        writers.spawn(async move {
            for value in first.. {
                let upload = Upload::new(format!("k{key}"), value.to_string().into_bytes());
                if s3.upload(upload).await.is_ok()
                    && writeln!(std::io::stdout(), "{key} {value}").is_err()
                {
                    break;
                }
            }
        });
    }
    while writers.join_next().await.is_some() {}
    Ok(())
}
