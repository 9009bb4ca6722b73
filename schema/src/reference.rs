//! The rules of the tables over a plain set of pages: what every store must answer. Pure and slow, for tests.
//!
//! It knows nothing of how a store works; `differences` compares a store with it.

mod differences;

pub use differences::{Scope, differences, read_list};

use crate::hour::{Hour, HourRange};
use crate::page::{Domain, Page, PageId, PageKey, UserId};
use crate::period::{Period, TimeUnit};
use crate::query::{Count, DomainRow, ListOrder, PageFilter, PageList, PageQuery, Series, UserCount};
use crate::store::PipelineRecord;
use crate::wiki::ProjectFamily;
use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};

/// A set of pages and records, and the answers that follow from it.
#[derive(Debug, Clone, Default)]
pub struct Reference {
    pages: HashMap<PageKey, Page>,
    records: BTreeMap<(String, String), Vec<u8>>,
}

impl Reference {
    /// What is stored after `pages` were written, in any order and however often.
    pub fn of<'a>(pages: impl IntoIterator<Item = &'a Page>) -> Self {
        let mut reference = Self::default();
        pages.into_iter().for_each(|page| reference.write(page));
        reference
    }

    /// Writes a page: of two with one key the larger version stays.
    pub fn write(&mut self, page: &Page) {
        match self.pages.get(&page.key()) {
            Some(stored) if stored.version >= page.version => {}
            _ => drop(self.pages.insert(page.key(), page.clone())),
        }
    }

    /// Keeps a record, replacing one of the same kind and key.
    pub fn put_record(&mut self, record: &PipelineRecord) {
        self.records.insert((record.kind.clone(), record.key.clone()), record.payload.clone());
    }

    /// All creations, in no order.
    pub fn pages(&self) -> impl Iterator<Item = &Page> {
        self.pages.values()
    }

    /// A list in its order.
    pub fn list(&self, list: &PageList) -> Vec<&Page> {
        let mut pages: Vec<&Page> = self.pages().filter(|page| is_in(list, page)).collect();
        pages.sort_by(|a, b| order(list, &a.key(), &b.key()));
        pages
    }

    /// Every list that has a page, in its order.
    pub fn lists(&self) -> HashMap<PageList, Vec<&Page>> {
        let mut lists: HashMap<PageList, Vec<&Page>> = HashMap::new();
        for page in self.pages() {
            for list in lists_of(page) {
                lists.entry(list).or_default().push(page);
            }
        }
        for (list, pages) in &mut lists {
            pages.sort_by(|a, b| order(list, &a.key(), &b.key()));
        }
        lists
    }

    /// The pages that a query asks for. A store may give them in several slices.
    pub fn list_pages(&self, query: &PageQuery) -> Vec<Page> {
        let mut pages = self.list(&query.list);
        if query.order == ListOrder::OldestFirst {
            pages.reverse();
        }
        let behind = match query.order {
            ListOrder::NewestFirst => Ordering::Greater,
            ListOrder::OldestFirst => Ordering::Less,
        };
        let is_behind =
            |page: &Page| query.after.as_ref().is_none_or(|after| order(&query.list, &page.key(), after) == behind);
        let asked =
            |page: &&Page| query.during.contains(page.created_at) && query.filter.matches(page) && is_behind(page);
        pages.into_iter().filter(asked).take(query.limit).cloned().collect()
    }

    /// The newest creation of a page.
    pub fn load_page(&self, domain: &Domain, page_id: PageId) -> Option<Page> {
        self.pages_by_id(page_id).into_iter().find(|page| page.domain == *domain)
    }

    /// The newest page of an account.
    pub fn load_user(&self, domain: &Domain, user_id: UserId) -> Option<Page> {
        self.list(&PageList::User(domain.clone(), user_id)).first().copied().cloned()
    }

    /// The wiki of this name.
    pub fn load_domain(&self, name: &Domain) -> Option<DomainRow> {
        self.domains().into_iter().find(|row| row.domain == *name)
    }

    /// The newest creation of each page with this number, by domain.
    pub fn pages_by_id(&self, page_id: PageId) -> Vec<Page> {
        newest_by(self.pages().filter(|page| page.page_id == page_id), |page| page.domain.clone())
    }

    /// The creations on a wiki under this title, newest first.
    pub fn pages_by_title(&self, domain: &Domain, page_title: &str, limit: usize) -> Vec<Page> {
        let of_domain = self.list(&PageList::Domain(domain.clone()));
        of_domain.into_iter().filter(|page| page.page_title == page_title).take(limit).cloned().collect()
    }

    /// The newest page of each account with this number, by domain.
    pub fn users_by_id(&self, user_id: UserId) -> Vec<Page> {
        newest_by(self.pages().filter(|page| page.user_id == user_id), |page| page.domain.clone())
    }

    /// The newest page of each account under this name, by domain, then user id.
    pub fn users_by_name(&self, user_name: &str) -> Vec<Page> {
        newest_by(self.pages().filter(|page| page.user_name == user_name), |page| (page.domain.clone(), page.user_id))
    }

    /// All wikis, by domain; of two database names the larger.
    pub fn domains(&self) -> Vec<DomainRow> {
        let mut wikis = BTreeMap::new();
        for page in self.pages() {
            let wiki = wikis.entry(&page.domain).or_insert(&page.wiki);
            *wiki = (*wiki).max(&page.wiki);
        }
        wikis.into_iter().map(|(domain, wiki)| DomainRow { domain: domain.clone(), wiki: wiki.clone() }).collect()
    }

    /// How many pages of a list lie in these hours, by looking at each.
    pub fn count_pages(&self, list: &PageList, hours: HourRange, filter: &PageFilter) -> u64 {
        let counted =
            |page: &&Page| hours.contains(Hour::of(page.created_at)) && is_in(list, page) && filter.matches(page);
        count(self.pages().filter(counted))
    }

    /// Pages per period of this length and group, sorted. Hours at the ends of a range count for the period they are in.
    pub fn counts(&self, series: &Series, hours: HourRange, unit: TimeUnit) -> Vec<Count> {
        let list = series.list();
        let mut groups: BTreeMap<_, u64> = BTreeMap::new();
        let within = |page: &&Page| is_in(&list, page) && hours.contains(Hour::of(page.created_at));
        for page in self.pages().filter(within) {
            let domain = (*series != Series::All).then_some(&page.domain);
            let period = Period::of(unit, Hour::of(page.created_at));
            let family = ProjectFamily::of(&page.domain);
            *groups.entry((period, domain, family, page.namespace, page.is_bot, page.is_redirect)).or_default() += 1;
        }
        let row = |((period, domain, project_family, namespace, is_bot, is_redirect), page_count): (_, u64)| Count {
            period,
            domain: Option::<&Domain>::cloned(domain),
            project_family,
            namespace,
            is_bot,
            is_redirect,
            page_count,
        };
        groups.into_iter().map(row).collect()
    }

    /// The accounts that created pages in these hours.
    pub fn user_counts(&self, hours: HourRange) -> Vec<UserCount> {
        let mut groups: BTreeMap<_, u64> = BTreeMap::new();
        for page in self.pages().filter(|page| hours.contains(Hour::of(page.created_at))) {
            let user = (&page.user_name, &page.domain, page.user_id);
            *groups.entry((user, page.namespace, page.is_bot, page.is_redirect)).or_default() += 1;
        }
        let row = |(((user_name, domain, user_id), namespace, is_bot, is_redirect), page_count): (_, u64)| UserCount {
            user_name: String::clone(user_name),
            domain: Domain::clone(domain),
            user_id,
            namespace,
            is_bot,
            is_redirect,
            page_count,
        };
        groups.into_iter().map(row).collect()
    }

    /// The records of a kind, by key.
    pub fn records(&self, kind: &str) -> Vec<PipelineRecord> {
        let of_kind = self.records.iter().filter(|((stored, _), _)| stored == kind);
        let record = |((kind, key), payload): (&(String, String), &Vec<u8>)| PipelineRecord {
            kind: kind.clone(),
            key: key.clone(),
            payload: payload.clone(),
        };
        of_kind.map(record).collect()
    }
}

/// How two pages of one list stand in it: newest first, ties as the tables order them.
pub fn order(list: &PageList, a: &PageKey, b: &PageKey) -> Ordering {
    let by_id = || b.page_id.cmp(&a.page_id);
    let by_domain = || b.domain.cmp(&a.domain);
    let newest = b.created_at.cmp(&a.created_at);
    match list {
        PageList::All | PageList::UserName(_) => newest.then_with(by_domain).then_with(by_id),
        PageList::Domain(_) | PageList::User(..) => newest.then_with(by_id),
        PageList::UserId(_) => newest.then_with(by_id).then_with(by_domain),
    }
}

/// Whether a page belongs to a list.
pub fn is_in(list: &PageList, page: &Page) -> bool {
    match list {
        PageList::All => true,
        PageList::Domain(domain) => page.domain == *domain,
        PageList::UserId(user_id) => page.user_id == *user_id,
        PageList::User(domain, user_id) => page.domain == *domain && page.user_id == *user_id,
        PageList::UserName(user_name) => page.user_name == *user_name,
    }
}

/// The lists that a page belongs to, one of each kind.
pub fn lists_of(page: &Page) -> [PageList; 5] {
    [
        PageList::All,
        PageList::Domain(page.domain.clone()),
        PageList::UserId(page.user_id),
        PageList::User(page.domain.clone(), page.user_id),
        PageList::UserName(page.user_name.clone()),
    ]
}

/// The newest page of each group, by group; of one second the larger page id.
fn newest_by<'a, K: Ord>(pages: impl Iterator<Item = &'a Page>, group: impl Fn(&Page) -> K) -> Vec<Page> {
    let mut newest: BTreeMap<K, &Page> = BTreeMap::new();
    for page in pages {
        let first = newest.entry(group(page)).or_insert(page);
        if (page.created_at, page.page_id) > (first.created_at, first.page_id) {
            *first = page;
        }
    }
    newest.into_values().cloned().collect()
}

fn count<T>(items: impl Iterator<Item = T>) -> u64 {
    items.fold(0, |count, _| count + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::conformance::Realm;

    #[test]
    fn the_larger_version_stays() {
        let realm = Realm::of("reference");
        let (old, mut new) = (realm.page(1), realm.page(1));
        new.version += 1;
        new.page_title = "New".into();
        for order in [[&old, &new], [&new, &old]] {
            let titles: Vec<_> = Reference::of(order).pages().map(|page| page.page_title.clone()).collect();
            assert_eq!(titles, ["New"]);
        }
    }

    #[test]
    fn ties_follow_the_tables() {
        let key = |domain: &str, page_id: &str| PageKey {
            created_at: chrono::DateTime::UNIX_EPOCH,
            domain: domain.parse().unwrap(),
            page_id: page_id.parse().unwrap(),
        };
        let (a, b) = (key("a.org", "9"), key("b.org", "10"));
        assert_eq!(order(&PageList::All, &a, &b), Ordering::Greater);
        assert_eq!(order(&PageList::UserName(String::new()), &a, &b), Ordering::Greater);
        assert_eq!(order(&PageList::UserId("1".parse().unwrap()), &a, &b), Ordering::Less);
    }
}
