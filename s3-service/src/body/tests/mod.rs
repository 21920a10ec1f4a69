//! A body that does as it is told, and both wrappers around it.

mod download;
mod upload;

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use aws_smithy_types::body::{Error, SdkBody};
use bytes::Bytes;
use http_body::{Body, Frame};

/// What a body does, poll by poll.
#[derive(Debug)]
struct Script(VecDeque<Step>);

#[derive(Debug)]
enum Step {
    Data(usize),
    Wait,
    Break,
    End,
}

impl Body for Script {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match self.0.pop_front() {
            Some(Step::Data(len)) => Poll::Ready(Some(Ok(Frame::data(Bytes::from(vec![7; len]))))),
            Some(Step::Wait) => Poll::Pending,
            Some(Step::Break) => Poll::Ready(Some(Err("broken".into()))),
            Some(Step::End) | None => Poll::Ready(None),
        }
    }
}

fn script(steps: impl IntoIterator<Item = Step>) -> SdkBody {
    SdkBody::from_body_1_x(Script(steps.into_iter().collect()))
}

fn poll(body: &mut SdkBody) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
    Pin::new(body).poll_frame(&mut Context::from_waker(Waker::noop()))
}

/// Reads to the end, the break or the first wait; the lengths of the frames.
fn read(body: &mut SdkBody) -> Vec<usize> {
    let mut lengths = Vec::new();
    while let Poll::Ready(Some(Ok(frame))) = poll(body) {
        lengths.push(frame.data_ref().expect("data").len());
    }
    lengths
}
