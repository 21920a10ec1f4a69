//! Rust text with everything taken out that is not code of the library.
//!
//! A doc comment may say "takes no lock", and a unit test may take one. What counts is what is left:
//! comments and literals become blanks, and items under `#[cfg(test)]` go. Line breaks stay, so that
//! line numbers still hold.

/// The code of a source file.
pub(crate) fn code(source: &str) -> String {
    without_tests(&without_prose(source))
}

/// Whether a file holds nothing but tests, by its name.
pub(crate) fn is_test_file(file: &str) -> bool {
    file.ends_with("tests.rs") || file.contains("/tests/")
}

/// The words of a line: identifiers and keywords.
pub(crate) fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

fn without_prose(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(c) = rest.chars().next() {
        let literal = prose_len(rest, out.chars().next_back());
        let len = if literal == 0 { c.len_utf8() } else { literal };
        let (taken, left) = rest.split_at(len);
        if literal == 0 {
            out.push(c);
        } else {
            out.extend(taken.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        }
        rest = left;
    }
    out
}

/// How many bytes of comment or literal `rest` begins with.
fn prose_len(rest: &str, before: Option<char>) -> usize {
    let glued = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return nested_comment(rest);
    }
    if rest.starts_with('"') {
        return quoted(rest, '"');
    }
    if !glued && let Some(hashes) = raw_string(rest) {
        let open = rest.find('"').unwrap() + 1;
        let close = format!("\"{}", "#".repeat(hashes));
        return rest[open..].find(&close).map_or(rest.len(), |at| open + at + close.len());
    }
    // A quote begins a character unless it begins a lifetime, which no quote closes.
    if rest.starts_with('\'') {
        let mut chars = rest.chars().skip(1);
        let (first, second) = (chars.next(), chars.next());
        if first == Some('\\') || second == Some('\'') {
            return quoted(rest, '\'');
        }
    }
    0
}

fn nested_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest[at..].starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

fn raw_string(rest: &str) -> Option<usize> {
    let rest = rest.strip_prefix('b').unwrap_or(rest).strip_prefix('r')?;
    let hashes = rest.chars().take_while(|&c| c == '#').count();
    rest[hashes..].starts_with('"').then_some(hashes)
}

/// Drops each item under `#[cfg(test)]` or `#[cfg(all(test, …))]`, to its closing brace or semicolon.
fn without_tests(code: &str) -> String {
    let mut out = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(at) =
        ["#[cfg(test)]", "#[cfg(all(test"].iter().filter_map(|m| rest.find(m)).min()
    {
        let (kept, item) = rest.split_at(at);
        let (gone, left) = item.split_at(item_len(item));
        out.push_str(kept);
        out.extend(gone.chars().filter(|&c| c == '\n'));
        rest = left;
    }
    out + rest
}

fn item_len(item: &str) -> usize {
    let mut depth = 0;
    for (at, c) in item.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => return at + 1,
            '}' => depth -= 1,
            ';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    item.len()
}

#[test]
fn prose_and_tests_are_taken_out_and_lines_stay() {
    let source = "\
//! Takes no Mutex. /* \"
/* Mutex /* nested */ Mutex */ fn a<'a>(x: &'a str) -> char { '\"' }
const S: &str = \"Mutex \\\" Mutex\"; const R: &str = r#\"Mutex \" Mutex\"#;
#[cfg(test)]
mod tests;
#[cfg(all(test, loom))]
mod more {
    fn t() { Mutex::new({ 1 }); }
}
fn kept() -> Instant { now('\\'') }
";
    let code = code(source);
    assert_eq!(code.lines().count(), source.lines().count());
    assert!(!code.contains("Mutex") && !code.contains("mod tests"), "{code}");
    assert!(code.contains("fn a<'a>(x: &'a str) -> char {"), "{code}");
    assert_eq!(code.lines().last(), Some("fn kept() -> Instant { now(    ) }"));
}
