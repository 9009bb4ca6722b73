//! What a searched text may mean: part of a wiki's name, a person's name, a page's number, or an address. Pure.
//!
//! It is made of what strangers paste, so anything else means nothing, and is no error.

use percent_encoding::percent_decode_str;
use schema::page::{Domain, PageId};

/// The longest user name, bytes: MediaWiki's own limit.
const MAX_NAME_BYTES: usize = 255;
/// Characters that are in no user name and in no title.
const NEVER_IN_NAMES: &[char] = &['#', '<', '>', '[', ']', '|', '{', '}', '/', '@', ':'];
/// Wikis whose host begins with `www`, by what is left of it when it is written shortly or for phones.
const WITH_WWW: [&str; 3] = ["wikidata.org", "mediawiki.org", "wikifunctions.org"];

/// What a text may mean; several at once, as `1984` is a number and may be a name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Meaning {
    /// The page, or the wiki, of an address.
    pub(super) address: Option<Address>,
    /// A person's name, as it is kept.
    pub(super) user_name: Option<String>,
    /// A page's number, on whichever wiki.
    pub(super) page_id: Option<PageId>,
    /// Part of a wiki's name, in lower case.
    pub(super) part_of_name: Option<String>,
}

/// Where an address leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Address {
    /// A page by its title, as it is kept.
    Title(Domain, String),
    /// A page by its number.
    Number(Domain, PageId),
    /// A wiki.
    Wiki(Domain),
}

impl Meaning {
    /// What `text` may mean. It is neither empty nor surrounded by spaces.
    pub(super) fn of(text: &str) -> Self {
        if let Some(address) = Parts::of(text) {
            let found = address.leads_to();
            let user_name = match &found {
                Some(Address::Title(_, title)) => user_of_page(title),
                _ => None,
            };
            return Self { address: found, user_name, ..Self::default() };
        }
        if let Some(number) = text.strip_prefix('#') {
            return Self { page_id: number.trim().parse().ok(), ..Self::default() };
        }
        if let Some(name) = user_of_page(text) {
            return Self { user_name: Some(name), ..Self::default() };
        }
        Self {
            address: None,
            user_name: parse_user_name(text),
            page_id: text.parse().ok(),
            part_of_name: parse_part_of_name(text),
        }
    }
}

/// An address, cut at its signs and not yet decoded.
struct Parts<'a> {
    domain: Domain,
    /// Behind the host's slash.
    path: &'a str,
    query: &'a str,
}

impl<'a> Parts<'a> {
    /// None where the text is no address: it has neither a scheme nor a slash behind a host's name.
    fn of(text: &'a str) -> Option<Self> {
        let scheme = ["https://", "http://", "//"]
            .into_iter()
            .find(|scheme| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)));
        let text = &text[scheme.map_or(0, str::len)..];
        let whole = text.split('#').next().unwrap_or_default();
        let (before, query) = whole.split_once('?').unwrap_or((whole, ""));
        let (host, path) = match before.split_once('/') {
            Some((host, path)) => (host, path),
            None if scheme.is_some() || whole.contains('?') => (before, ""),
            None => return None,
        };
        Some(Self { domain: parse_host(host)?, path, query })
    }

    fn leads_to(self) -> Option<Address> {
        let Self { domain, path, query } = self;
        if let Some(number) = parameter(query, "curid") {
            return Some(Address::Number(domain, number.parse().ok()?));
        }
        if let Some(title) = parameter(query, "title") {
            return Some(Address::Title(domain, parse_title(&title)?));
        }
        if let Some(title) = title_in(path) {
            return Some(Address::Title(domain, parse_title(&decoded(title)?)?));
        }
        // An old revision or a difference alone says no page that could be looked up.
        (query.is_empty() && matches!(path, "" | "wiki" | "wiki/")).then_some(Address::Wiki(domain))
    }
}

/// The wiki of a host's name: its port left out, and what makes it the one for phones.
fn parse_host(host: &str) -> Option<Domain> {
    let host = host.split_once(':').map_or(host, |(name, _)| name).trim_end_matches('.').to_ascii_lowercase();
    let labels: Vec<&str> = host.split('.').collect();
    let host = match labels.as_slice() {
        ["m", rest @ ..] if rest.len() >= 2 => rest.join("."),
        [language, "m", rest @ ..] if rest.len() >= 2 => format!("{language}.{}", rest.join(".")),
        ["www", "wikisource", "org"] => "wikisource.org".into(),
        _ => host,
    };
    let host = if WITH_WWW.contains(&host.as_str()) { format!("www.{host}") } else { host };
    host.parse().ok()
}

/// Where a path has the title: behind `wiki/`, `w/index.php/`, `entity/` of a Wikibase, or a script as in `zh-hans/`.
fn title_in(path: &str) -> Option<&str> {
    let behind =
        ["wiki/", "w/index.php/", "index.php/", "entity/"].into_iter().find_map(|start| path.strip_prefix(start));
    let title = behind.or_else(|| {
        let (script, title) = path.split_once('/')?;
        ["zh-", "sr-", "kk-", "ku-", "uz-", "iu-", "tg-"].iter().any(|start| script.starts_with(start)).then_some(title)
    })?;
    (!title.is_empty()).then_some(title)
}

/// A parameter's value, decoded; the last one where there are several, as PHP takes it.
fn parameter(query: &str, name: &str) -> Option<String> {
    let values = query.split('&').filter_map(|pair| pair.split_once('='));
    let (_, value) = values.rev().find(|(key, _)| *key == name)?;
    decoded(&value.replace('+', " "))
}

/// None where the bytes are no UTF-8.
fn decoded(text: &str) -> Option<String> {
    percent_decode_str(text).decode_utf8().ok().map(Into::into)
}

/// A title as it is kept: one underscore for spaces, none at the ends.
fn parse_title(text: &str) -> Option<String> {
    let title = words_of(text).collect::<Vec<_>>().join("_");
    let title = title.strip_prefix(':').unwrap_or(&title).trim_start_matches('_');
    (!title.is_empty()).then(|| title.to_owned())
}

fn words_of(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c == '_' || c.is_whitespace()).filter(|word| !word.is_empty())
}

/// Whose page a title is: `User:Alex_brollo`, its talk, what is below it, or `Special:Contributions/Alex_brollo`. Wikis have
/// words of their own for these, but take these, too.
fn user_of_page(title: &str) -> Option<String> {
    let (namespace, rest) = title.split_once(':')?;
    let namespace = words_of(namespace).collect::<Vec<_>>().join(" ").to_ascii_lowercase();
    let name = match (namespace.as_str(), rest.split_once('/')) {
        ("user" | "user talk", below) => below.map_or(rest, |(name, _)| name),
        ("special", Some((page, name))) if page.trim().eq_ignore_ascii_case("contributions") => name,
        _ => return None,
    };
    parse_user_name(name)
}

/// A name as MediaWiki keeps it: one space for underscores, none at the ends, a large letter first.
fn parse_user_name(text: &str) -> Option<String> {
    let name = words_of(text).collect::<Vec<_>>().join(" ");
    let first = name.chars().next()?;
    if name.len() > MAX_NAME_BYTES || name.contains(NEVER_IN_NAMES) {
        return None;
    }
    let mut large = first.to_uppercase();
    match (large.next(), large.next()) {
        (Some(letter), None) => Some(format!("{letter}{}", &name[first.len_utf8()..])),
        // What has no single large letter (ß) stays.
        _ => Some(name),
    }
}

/// What may stand in a host's or a database's name.
fn parse_part_of_name(text: &str) -> Option<String> {
    let is_in_names = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let text = text.to_lowercase();
    if !text.chars().all(is_in_names) {
        return None;
    }
    // The host for phones is one of no wiki.
    let of_phones = text.contains(".m.") || text.starts_with("m.");
    Some(if of_phones { parse_host(&text).map_or(text, String::from) } else { text })
}

#[cfg(test)]
mod tests;
