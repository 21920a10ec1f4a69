//! One page of a listing: pure, over the sorted keys of a bucket.

use std::collections::BTreeMap;
use std::ops::Bound;

use s3s::dto::{CommonPrefix, ListObjectsV2Input, ListObjectsV2Output, Object as Entry};

use super::store::Object;

/// The most that S3 gives at once.
const MOST: i32 = 1_000;

pub(super) fn page(
    objects: &BTreeMap<String, Object>,
    input: ListObjectsV2Input,
) -> ListObjectsV2Output {
    let prefix = input.prefix.as_deref().unwrap_or_default();
    let limit = input.max_keys.unwrap_or(MOST).clamp(0, MOST);
    let after = input.continuation_token.clone().or_else(|| input.start_after.clone());
    let mut page = Page { left: limit, ..Page::default() };
    let from = after.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
    for (key, object) in objects.range::<str, _>((from, Bound::Unbounded)) {
        if let Some(rest) = key.strip_prefix(prefix)
            && !page.take(key, rolled_up(prefix, rest, input.delimiter.as_deref()), object, &after)
        {
            page.is_cut = true;
            break;
        }
    }
    ListObjectsV2Output {
        name: Some(input.bucket),
        prefix: input.prefix,
        delimiter: input.delimiter,
        max_keys: Some(limit),
        key_count: Some(limit - page.left),
        is_truncated: Some(page.is_cut),
        next_continuation_token: page.is_cut.then_some(page.last).flatten(),
        contents: Some(page.entries),
        common_prefixes: Some(page.prefixes),
        ..ListObjectsV2Output::default()
    }
}

/// The prefix that a key is listed under, where the delimiter rolls it up.
fn rolled_up(prefix: &str, rest: &str, delimiter: Option<&str>) -> Option<String> {
    let delimiter = delimiter.filter(|delimiter| !delimiter.is_empty())?;
    let (head, _) = rest.split_once(delimiter)?;
    Some(format!("{prefix}{head}{delimiter}"))
}

#[derive(Default)]
struct Page {
    left: i32,
    entries: Vec<Entry>,
    prefixes: Vec<CommonPrefix>,
    last: Option<String>,
    is_cut: bool,
}

impl Page {
    /// Whether there was room.
    fn take(
        &mut self,
        key: &str,
        prefix: Option<String>,
        object: &Object,
        after: &Option<String>,
    ) -> bool {
        // Keys under a prefix that is listed already, here or on the page before, are in it.
        if prefix.is_some() && (prefix == self.last || prefix == *after) {
            return true;
        }
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        self.last = Some(prefix.clone().unwrap_or_else(|| key.to_owned()));
        match prefix {
            Some(prefix) => self.prefixes.push(CommonPrefix { prefix: Some(prefix) }),
            None => self.entries.push(Entry {
                key: Some(key.to_owned()),
                size: i64::try_from(object.bytes.len()).ok(),
                e_tag: Some(object.etag.clone()),
                last_modified: Some(object.last_modified()),
                storage_class: Some(object.listed_class()),
                ..Entry::default()
            }),
        }
        true
    }
}
