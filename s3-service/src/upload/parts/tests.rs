use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use aws_sdk_s3::primitives::SdkBody;
use aws_smithy_types::body::Error;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::{DOUBLED_EACH, MOST, PART, Parts, part_size};

const MIB: usize = 1024 * 1024;

/// Frames of these lengths, each after a wait.
struct Frames {
    lengths: VecDeque<usize>,
    waited: bool,
    announced: Option<u64>,
}

impl Body for Frames {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        // `SdkBody` asks again at the end, for trailers: the end must not wait twice.
        self.waited = !self.waited && !self.lengths.is_empty();
        if self.waited {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let frame = self.lengths.pop_front();
        Poll::Ready(frame.map(|len| Ok(Frame::data(Bytes::from(vec![7; len])))))
    }

    fn size_hint(&self) -> SizeHint {
        self.announced.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

fn stream(lengths: &[usize], announced: Option<u64>) -> SdkBody {
    let lengths = lengths.iter().copied().collect();
    SdkBody::from_body_1_x(Frames { lengths, waited: false, announced })
}

async fn lengths(parts: &mut Parts) -> Result<Vec<usize>, Error> {
    let mut lengths = Vec::new();
    while let Some(part) = parts.next().await? {
        lengths.push(part.len());
    }
    Ok(lengths)
}

#[tokio::test]
async fn frames_of_any_length_become_parts_of_one() {
    for frames in [vec![20 * MIB], vec![3 * MIB; 7], vec![MIB, 18 * MIB, 0, MIB]] {
        let total: usize = frames.iter().sum();
        let mut parts = Parts::new(stream(&frames, None));
        let expected = [8 * MIB, 8 * MIB, total - 16 * MIB];
        assert_eq!(lengths(&mut parts).await.unwrap(), expected, "{frames:?}");
    }
}

#[tokio::test]
async fn bytes_in_memory_are_cut_without_a_copy() {
    let whole = Bytes::from(vec![7; 10 * MIB]);
    let mut parts = Parts::new(SdkBody::from(whole.clone()));
    let first = parts.next().await.unwrap().unwrap();
    let second = parts.next().await.unwrap().unwrap();
    assert_eq!(first.as_ptr(), whole.as_ptr());
    assert_eq!(second.as_ptr(), whole[8 * MIB..].as_ptr());
    assert!(parts.next().await.unwrap().is_none());
}

#[tokio::test]
async fn a_body_is_whole_below_a_limit_or_begins_the_parts() {
    let limit = u64::try_from(16 * MIB).unwrap();
    let mut parts = Parts::new(stream(&[5, 6], None));
    assert_eq!(parts.whole_below(limit).await.unwrap().unwrap().len(), 11);

    for frames in [vec![16 * MIB], vec![MIB; 16], vec![9 * MIB, 9 * MIB]] {
        let total: usize = frames.iter().sum();
        let mut parts = Parts::new(stream(&frames, None));
        assert!(parts.whole_below(limit).await.unwrap().is_none());
        let all = lengths(&mut parts).await.unwrap();
        assert_eq!(all.iter().sum::<usize>(), total, "{frames:?}: {all:?}");
        assert!(all.iter().rev().skip(1).all(|&len| len == 8 * MIB), "{all:?}");
    }
}

#[tokio::test]
async fn a_body_of_another_length_than_it_announced_is_an_error() {
    for (frames, announced) in [(vec![MIB; 3], 4), (vec![MIB; 4], 3)] {
        let announced = u64::try_from(announced * MIB).unwrap();
        let mut parts = Parts::new(stream(&frames, Some(announced)));
        let error = lengths(&mut parts).await.unwrap_err();
        assert!(error.to_string().contains("were announced"), "{error}");
    }
}

#[test]
fn giving_up_a_wait_loses_nothing() {
    let mut parts = Parts::new(stream(&[MIB, MIB, MIB], None));
    let mut waits = 0;
    let part = loop {
        // Each wait is a future of its own that is dropped at once.
        let next = std::pin::pin!(parts.next());
        match next.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(part) => break part.unwrap().unwrap(),
            Poll::Pending => waits += 1,
        }
    };
    assert_eq!((part.len(), waits), (3 * MIB, 3));
}

#[test]
fn an_object_fits_into_the_parts_that_s3_takes() {
    assert_eq!(part_size(0, Some(100)), PART);
    assert_eq!(part_size(9_999, Some(PART * MOST)), PART);
    let tib = 1 << 40;
    assert!(part_size(0, Some(5 * tib)) * MOST >= 5 * tib);
    let unknown: u64 = (0..MOST).map(|cut| part_size(cut, None)).sum();
    assert!(unknown > 5 * tib, "{unknown}");
    assert_eq!(part_size(DOUBLED_EACH, None), 2 * PART);
}
