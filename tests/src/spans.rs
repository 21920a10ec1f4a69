//! Remembers the spans of one test, as an exporter would get them.
//!
//! An exporter learns of a span at its beginning, of fields and events meanwhile, and sends it when
//! its last handle is gone. This is such a layer, which keeps what it learns. It listens on one
//! thread, as a test has one.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::{DefaultGuard, NoSubscriber, set_default};
use tracing::{Dispatch, Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Registry};

/// Fields and their values, as text.
pub type Fields = BTreeMap<&'static str, String>;

/// With one subscriber in all, tracing asks the first thread that comes to a span whether anybody
/// listens, and believes it for the others. With two it asks the subscribers.
static SECOND: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(NoSubscriber::default()));

/// The spans since it was made, on the thread that made it.
#[derive(Clone, Debug, Default)]
pub struct Spans(Arc<Mutex<Vec<Span>>>);

/// A span as it was recorded.
#[derive(Clone, Debug, Default)]
pub struct Span {
    /// Its name in the source.
    pub name: &'static str,
    /// Which of all spans it is a child of.
    pub parent: Option<usize>,
    /// What was set, at its beginning or later.
    pub fields: Fields,
    /// The events that were told while it was current.
    pub events: Vec<Fields>,
    /// Whether its last handle is gone.
    pub closed: bool,
}

/// Which of the spans it is.
struct Place(usize);

impl Spans {
    /// Listens on this thread, until the guard is dropped.
    #[must_use]
    pub fn listen() -> (Self, DefaultGuard) {
        LazyLock::force(&SECOND);
        let spans = Self::default();
        let guard = set_default(Registry::default().with(spans.clone()));
        (spans, guard)
    }

    /// All spans, in the order in which they began.
    #[must_use]
    pub fn all(&self) -> Vec<Span> {
        self.lock().clone()
    }

    /// Those of this name in the source.
    #[must_use]
    pub fn named(&self, name: &str) -> Vec<Span> {
        self.all().into_iter().filter(|span| span.name == name).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Span>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Span {
    /// The value of a field, if it was set.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Spans {
    /// As in production: the AWS SDK has spans of its own below.
    fn enabled(&self, metadata: &Metadata<'_>, _context: Context<'_, S>) -> bool {
        *metadata.level() <= Level::INFO
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(new) = context.span(id) else { return };
        let parent = new.parent().and_then(|parent| Some(parent.extensions().get::<Place>()?.0));
        let (name, fields) = (new.name(), read(|reader| attributes.record(reader)));
        let mut spans = self.lock();
        new.extensions_mut().insert(Place(spans.len()));
        spans.push(Span { name, parent, fields, ..Span::default() });
    }

    fn on_record(&self, id: &Id, record: &Record<'_>, context: Context<'_, S>) {
        let fields = read(|reader| record.record(reader));
        self.change(&context, id, |span| span.fields.extend(fields));
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let fields = read(|reader| event.record(reader));
        if let Some(current) = context.event_span(event) {
            self.change(&context, &current.id(), |span| span.events.push(fields));
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        self.change(&context, &id, |span| span.closed = true);
    }
}

impl Spans {
    fn change<S: Subscriber + for<'a> LookupSpan<'a>>(
        &self,
        context: &Context<'_, S>,
        id: &Id,
        change: impl FnOnce(&mut Span),
    ) {
        let place = context.span(id).and_then(|span| Some(span.extensions().get::<Place>()?.0));
        if let (Some(place), mut spans) = (place, self.lock())
            && let Some(span) = spans.get_mut(place)
        {
            change(span);
        }
    }
}

struct Reader(Fields);

fn read(fields: impl FnOnce(&mut Reader)) -> Fields {
    let mut reader = Reader(Fields::new());
    fields(&mut reader);
    reader.0
}

impl Visit for Reader {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}
