//! What a wiki's domain tells: family and language, and the domain of a database name.

use crate::page::{Domain, WikiId};
use serde::{Deserialize, Serialize};

/// The family of projects a wiki belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ProjectFamily {
    /// Encyclopedias.
    Wikipedia,
    /// Dictionaries.
    Wiktionary,
    /// Textbooks.
    Wikibooks,
    /// News.
    Wikinews,
    /// Quotations.
    Wikiquote,
    /// Source texts.
    Wikisource,
    /// Learning material.
    Wikiversity,
    /// Travel guides.
    Wikivoyage,
    /// Structured data.
    Wikidata,
    /// Files.
    Commons,
    /// Meta, incubator, chapters and the rest.
    Other,
}

/// Suffix of the database name, second-level domain, family; the longer suffixes first.
const FAMILIES: [(&str, &str, ProjectFamily); 8] = [
    ("wiktionary", "wiktionary.org", ProjectFamily::Wiktionary),
    ("wikibooks", "wikibooks.org", ProjectFamily::Wikibooks),
    ("wikinews", "wikinews.org", ProjectFamily::Wikinews),
    ("wikiquote", "wikiquote.org", ProjectFamily::Wikiquote),
    ("wikisource", "wikisource.org", ProjectFamily::Wikisource),
    ("wikiversity", "wikiversity.org", ProjectFamily::Wikiversity),
    ("wikivoyage", "wikivoyage.org", ProjectFamily::Wikivoyage),
    ("wiki", "wikipedia.org", ProjectFamily::Wikipedia),
];

impl ProjectFamily {
    /// All of them. Rollups name a family by its place here, and are of the families that domains had when they were
    /// built: whoever changes either raises the layout's version.
    pub const ALL: [ProjectFamily; 11] = [
        Self::Wikipedia,
        Self::Wiktionary,
        Self::Wikibooks,
        Self::Wikinews,
        Self::Wikiquote,
        Self::Wikisource,
        Self::Wikiversity,
        Self::Wikivoyage,
        Self::Wikidata,
        Self::Commons,
        Self::Other,
    ];

    /// Its place in [`Self::ALL`].
    pub fn number(self) -> usize {
        Self::ALL.iter().position(|family| *family == self).expect("all families are there")
    }

    /// The family of that place; none where there is no such place.
    pub fn of_number(number: i64) -> Option<Self> {
        Self::ALL.get(usize::try_from(number).ok()?).copied()
    }

    /// The family of a domain.
    pub fn of(domain: &Domain) -> Self {
        match domain.as_str() {
            "www.wikidata.org" => return Self::Wikidata,
            "commons.wikimedia.org" => return Self::Commons,
            _ => {}
        }
        let second_level = |name: &str| {
            domain.as_str().strip_suffix(name).is_some_and(|rest| rest.ends_with('.') && !rest.starts_with("test"))
        };
        FAMILIES.iter().find(|(_, name, _)| second_level(name)).map_or(Self::Other, |(_, _, family)| *family)
    }
}

/// The language code of a wiki by its domain: `it`; none where a wiki has no language.
pub fn language_of(domain: &Domain) -> Option<&str> {
    let (code, rest) = domain.as_str().split_once('.')?;
    let has_languages = FAMILIES.iter().any(|(_, name, _)| rest == *name);
    let is_code = !matches!(code, "www" | "test" | "test2" | "nostalgia" | "beta" | "sources" | "species");
    (has_languages && is_code).then_some(code)
}

/// The domain of a database name by rule: `itwikisource` gives it.wikisource.org.
///
/// The names that follow no rule are Wikimedia's special wikis (dblists of its site configuration).
/// None for a name without a rule.
pub fn domain_of_wiki(wiki: &WikiId) -> Option<Domain> {
    let name = wiki.as_str();
    let special = match name {
        "commonswiki" => "commons.wikimedia.org",
        "wikidatawiki" => "www.wikidata.org",
        "testwikidatawiki" => "test.wikidata.org",
        "testcommonswiki" => "test-commons.wikimedia.org",
        "metawiki" => "meta.wikimedia.org",
        "incubatorwiki" => "incubator.wikimedia.org",
        "specieswiki" => "species.wikimedia.org",
        "outreachwiki" => "outreach.wikimedia.org",
        "foundationwiki" => "foundation.wikimedia.org",
        "strategywiki" => "strategy.wikimedia.org",
        "wikimaniawiki" => "wikimania.wikimedia.org",
        "mediawikiwiki" => "www.mediawiki.org",
        "wikifunctionswiki" => "www.wikifunctions.org",
        "sourceswiki" => "wikisource.org",
        "betawikiversity" => "beta.wikiversity.org",
        "be_x_oldwiki" => "be-tarask.wikipedia.org",
        "loginwiki" => "login.wikimedia.org",
        _ => "",
    };
    if !special.is_empty() {
        return special.parse().ok();
    }
    if let Some(chapter) = name.strip_suffix("wikimedia") {
        return format!("{}.wikimedia.org", chapter.replace('_', "-")).parse().ok();
    }
    let (suffix, second_level, _) = FAMILIES.iter().find(|(suffix, _, _)| name.ends_with(suffix))?;
    let language = name.strip_suffix(suffix)?;
    format!("{}.{second_level}", language.replace('_', "-")).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_tells_family_and_language() {
        let check = |domain: &str, family, language| {
            let domain: Domain = domain.parse().unwrap();
            assert_eq!((ProjectFamily::of(&domain), language_of(&domain)), (family, language), "{domain}");
        };
        check("it.wikisource.org", ProjectFamily::Wikisource, Some("it"));
        check("www.wikidata.org", ProjectFamily::Wikidata, None);
        check("commons.wikimedia.org", ProjectFamily::Commons, None);
        check("meta.wikimedia.org", ProjectFamily::Other, None);
        check("test.wikipedia.org", ProjectFamily::Other, None);
        check("be-tarask.wikipedia.org", ProjectFamily::Wikipedia, Some("be-tarask"));
        check("evilwikipedia.org", ProjectFamily::Other, None);
    }

    #[test]
    fn a_database_name_gives_its_domain() {
        let check = |wiki: &str, domain: Option<&str>| {
            let found = domain_of_wiki(&wiki.parse().unwrap());
            assert_eq!(found.as_ref().map(Domain::as_str), domain, "{wiki}");
        };
        check("itwikisource", Some("it.wikisource.org"));
        check("zh_min_nanwiki", Some("zh-min-nan.wikipedia.org"));
        check("be_x_oldwiki", Some("be-tarask.wikipedia.org"));
        check("commonswiki", Some("commons.wikimedia.org"));
        check("wikidatawiki", Some("www.wikidata.org"));
        check("nlwikimedia", Some("nl.wikimedia.org"));
        check("wiki", None);
        check("something", None);
    }
}
