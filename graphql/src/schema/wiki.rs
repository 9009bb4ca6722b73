//! Names for namespaces and families of wikis.

use async_graphql::Enum;
use schema::wiki::ProjectFamily as Family;

/// The family by domain. OTHER: meta, incubator, chapters and the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Enum)]
#[graphql(remote = "Family")]
pub(crate) enum ProjectFamily {
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

/// OTHER covers every number that has no name here. (Odd numbers are the talk pages.)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(crate) enum NamespaceName {
    /// 0: articles.
    Main,
    /// 1
    Talk,
    /// 2
    User,
    /// 3
    UserTalk,
    /// 4: about the project.
    Project,
    /// 5
    ProjectTalk,
    /// 6
    File,
    /// 7
    FileTalk,
    /// 8: texts of the interface.
    Mediawiki,
    /// 9
    MediawikiTalk,
    /// 10
    Template,
    /// 11
    TemplateTalk,
    /// 12
    Help,
    /// 13
    HelpTalk,
    /// 14
    Category,
    /// 15
    CategoryTalk,
    /// Any other number.
    Other,
}

const NAMED: [NamespaceName; 16] = [
    NamespaceName::Main,
    NamespaceName::Talk,
    NamespaceName::User,
    NamespaceName::UserTalk,
    NamespaceName::Project,
    NamespaceName::ProjectTalk,
    NamespaceName::File,
    NamespaceName::FileTalk,
    NamespaceName::Mediawiki,
    NamespaceName::MediawikiTalk,
    NamespaceName::Template,
    NamespaceName::TemplateTalk,
    NamespaceName::Help,
    NamespaceName::HelpTalk,
    NamespaceName::Category,
    NamespaceName::CategoryTalk,
];

impl NamespaceName {
    /// The name of a number, the same on all wikis.
    pub(crate) fn of(number: i32) -> Self {
        usize::try_from(number).ok().and_then(|n| NAMED.get(n)).copied().unwrap_or(Self::Other)
    }
}
