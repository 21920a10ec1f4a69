//! How far what is kept may be trusted: the pure half of the cache.
//!
//! A value in memory is as good as the news of its changes. While Redis tells us which keys change,
//! whatever is kept is current. Once that connection is lost, it was current up to the last sign of
//! life, and from then on grows old. When Redis answers again, nobody can tell what changed in between:
//! then everything from before is void, before that answer is handed out.
//!
//! ```text
//!               listening                 lost
//!  Unwatched ──────────────▶ Watched ──────────────▶ Cut
//!      │  ▲  ▲                   ▲                   │ │
//!      │  │  └───────────────────│── served again ────┘ │
//!      │  │                      └────── listening ─────┘
//!      └──┴─ failed ─▶ Cut ─ served again ─▶
//! ```
//!
//! Every arrow into `Unwatched` or `Watched` begins a new *era*. A value belongs to the era that it was
//! read in, and is served in that one only. On the one arrow that no outage precedes, from `Unwatched`
//! to `Watched`, a few values are carried over, in doubt until they are read again.

use circuit_layer::Moment;

/// Where the news of changes stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Nobody tells of changes; a value ages from when it was read.
    Unwatched,
    /// Changes are told; what is kept was current at `heard`.
    Watched { heard: Moment },
    /// Redis is out of reach; what is kept was current at `heard`, if anybody listened.
    Cut { heard: Option<Moment> },
}

/// The era, and how far its values may be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Era {
    pub(crate) number: u64,
    pub(crate) trust: Trust,
}

/// What happened to the connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// From `since` on changes are told.
    Listening { since: Moment },
    /// Everything that changed before `up_to` has been told.
    Heard { up_to: Moment },
    /// No more changes are told.
    Lost,
    /// A call did not reach Redis.
    Failed,
    /// Redis answered a call that was begun in this era, after it was cut.
    Served { begun: u64 },
}

impl Era {
    pub(crate) const FIRST: Self = Self { number: 0, trust: Trust::Unwatched };

    /// The era after the news; another number says that what was kept is void.
    #[must_use]
    pub(crate) fn after(self, news: News) -> Self {
        let trust = match (news, self.trust) {
            (News::Listening { since }, _) => return self.next(Trust::Watched { heard: since }),
            (News::Served { begun }, Trust::Cut { .. }) if begun == self.number => {
                return self.next(Trust::Unwatched);
            }
            (News::Heard { up_to }, Trust::Watched { heard }) => {
                Trust::Watched { heard: heard.max(up_to) }
            }
            (News::Lost, Trust::Watched { heard }) => Trust::Cut { heard: Some(heard) },
            // While changes are told, that connection knows better than a call that failed.
            (News::Failed, Trust::Unwatched) => Trust::Cut { heard: None },
            (News::Served { .. } | News::Heard { .. } | News::Lost | News::Failed, trust) => trust,
        };
        Self { trust, ..self }
    }

    const fn next(self, trust: Trust) -> Self {
        Self { number: self.number.wrapping_add(1), trust }
    }

    pub(crate) const fn is_cut(self) -> bool {
        matches!(self.trust, Trust::Cut { .. })
    }

    /// When a value was current for certain, that was current at `read`.
    pub(crate) fn current(self, read: Moment) -> Moment {
        match self.trust {
            Trust::Unwatched | Trust::Cut { heard: None } => read,
            Trust::Watched { heard } | Trust::Cut { heard: Some(heard) } => read.max(heard),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(second: u64) -> Moment {
        Moment::from_nanos(second * 1_000_000_000)
    }

    fn check(news: &[News], number: u64, trust: Trust) {
        let era = news.iter().fold(Era::FIRST, |era, news| era.after(*news));
        assert_eq!(era, Era { number, trust }, "{news:?}");
    }

    #[test]
    fn every_arrow_of_the_picture() {
        let listening = News::Listening { since: at(1) };
        let heard = Trust::Watched { heard: at(1) };
        let cut = Trust::Cut { heard: Some(at(1)) };
        check(&[], 0, Trust::Unwatched);
        check(&[listening], 1, heard);
        check(&[listening, News::Heard { up_to: at(5) }], 1, Trust::Watched { heard: at(5) });
        check(&[listening, News::Heard { up_to: at(0) }], 1, heard);
        check(&[listening, News::Failed], 1, heard);
        check(&[listening, News::Lost], 1, cut);
        check(&[listening, News::Lost, News::Failed, News::Lost], 1, cut);
        check(&[listening, News::Lost, News::Heard { up_to: at(9) }], 1, cut);
        check(&[listening, News::Lost, News::Served { begun: 1 }], 2, Trust::Unwatched);
        check(&[listening, News::Lost, News::Listening { since: at(1) }], 2, heard);
        check(&[News::Failed], 0, Trust::Cut { heard: None });
        check(&[News::Failed, News::Served { begun: 0 }], 1, Trust::Unwatched);
        check(&[News::Served { begun: 0 }], 0, Trust::Unwatched);
    }

    #[test]
    fn an_answer_from_an_earlier_cut_ends_no_later_one() {
        let cut = [News::Failed, News::Served { begun: 0 }, News::Failed];
        let late: Vec<_> = cut.into_iter().chain([News::Served { begun: 0 }]).collect();
        check(&late, 1, Trust::Cut { heard: None });
    }

    #[test]
    fn a_value_was_current_when_it_was_read_or_when_changes_were_last_heard_of() {
        let watched = Era { number: 1, trust: Trust::Watched { heard: at(5) } };
        assert_eq!((watched.current(at(3)), watched.current(at(7))), (at(5), at(7)));
        let cut = Era { number: 1, trust: Trust::Cut { heard: None } };
        assert_eq!(cut.current(at(3)), at(3));
    }
}
