//! Derived rows: the same counts by whose they are. Written behind the head's flip with its version as write timestamp,
//! so that a slower sealer's never replace a newer one's.

use crate::period::TimeUnit;
use crate::query::UserCount;
use crate::store::StoreError;
use crate::store::cassandra::CassandraStore;
use crate::store::cassandra::generations::PEOPLE_AT_ONCE;
use crate::store::cassandra::heads::Head;
use crate::store::cassandra::many_rows::{MANY_PARTITIONS, ONE_PARTITION, write_all};
use crate::store::cassandra::merge::{Merged, People};
use crate::store::cassandra::periods::{name_of, shelf_of};
use crate::store::cassandra::rollup_statements::ON_SHELF;
use crate::store::cassandra::seal::Step;
use crate::store::cassandra::statements::Preparer;
use crate::store::cassandra::tally::{Group, Groups};
use crate::wiki::ProjectFamily;
use scylla::statement::prepared::PreparedStatement;
use std::collections::BTreeMap;

pub(super) struct Statements {
    put_of_all: PreparedStatement,
    put_of_domain: PreparedStatement,
    put_of_user_name: PreparedStatement,
    put_of_user: PreparedStatement,
    pub(super) of_all: PreparedStatement,
    pub(super) of_domain: PreparedStatement,
    pub(super) of_user_name: PreparedStatement,
    pub(super) of_user: PreparedStatement,
}

impl Statements {
    pub(super) async fn prepare(it: &Preparer<'_>) -> Result<Self, StoreError> {
        const GROUP: &str = "namespace, is_bot, is_redirect, page_count";
        let (by_wiki, of_all) = (format!("domain, period, {GROUP}"), format!("project_family, period, {GROUP}"));
        let people = "user_name, shelf, period, domain, user_id";
        let accounts = "domain, user_id, shelf, period, user_name";
        let key = |key: &str| format!("{key} AND {ON_SHELF}");
        Ok(Self {
            put_of_all: it.put_at("counts_of_all", &format!("shelf, period, project_family, {GROUP}")).await?,
            put_of_domain: it.put_at("counts_by_domain", &format!("domain, shelf, period, {GROUP}")).await?,
            put_of_user_name: it.put_at("counts_by_user_name", &format!("{people}, {GROUP}")).await?,
            put_of_user: it.put_at("counts_by_user", &format!("{accounts}, {GROUP}")).await?,
            of_all: it.read(&of_all, "counts_of_all", ON_SHELF).await?,
            of_domain: it.read(&by_wiki, "counts_by_domain", &key("domain = ?")).await?,
            of_user_name: it.read(&by_wiki, "counts_by_user_name", &key("user_name = ?")).await?,
            of_user: it.read(&by_wiki, "counts_by_user", &key("domain = ? AND user_id = ?")).await?,
        })
    }
}

/// Whether people are counted by periods of this length: no read's formula has years of a person.
pub(super) fn has_people(unit: TimeUnit) -> bool {
    unit < TimeUnit::Year
}

/// Writes what differs from the derived rows of the head before: all where these may not be complete. `old` are that head's
/// groups, and `people` the new counts beside its.
pub(super) async fn write(
    store: &CassandraStore,
    head: &Head,
    before: Option<&Head>,
    (groups, mut old): (&Groups, Groups),
    mut people: People<'_>,
) -> Result<(), StoreError> {
    let is_known = before.is_some_and(Head::is_derived);
    if !is_known {
        old.clear();
    }
    write_domains(store, head, groups, &old).await?;
    write_all_wikis(store, head, groups, &old).await?;
    store.reached(Step::Wikis, head.period).await?;
    if !has_people(head.period.unit) {
        return Ok(());
    }
    loop {
        let mut merged = people.next(PEOPLE_AT_ONCE).await?;
        if merged.is_empty() {
            return Ok(());
        }
        merged.retain(|Merged { user, before }| !is_known || *before != Some(user.page_count));
        write_people(store, head, &merged).await?;
    }
}

async fn write_domains(store: &CassandraStore, head: &Head, groups: &Groups, old: &Groups) -> Result<(), StoreError> {
    let (shelf, name) = (shelf_of(head.period), name_of(head.period));
    let row = |(group, count): (&Group, &u64)| {
        let Group { domain, namespace, is_bot, is_redirect } = group.clone();
        let (shelf, name, domain, count) = (shelf.clone(), name.clone(), domain.to_string(), count.cast_signed());
        (domain, shelf, name, namespace, is_bot, is_redirect, count, head.version)
    };
    let rows: Vec<_> = groups.iter().filter(|(group, count)| old.get(group) != Some(count)).map(row).collect();
    write_all(&store.session, &store.rollups.derived.put_of_domain, &rows, MANY_PARTITIONS).await
}

async fn write_all_wikis(store: &CassandraStore, head: &Head, groups: &Groups, old: &Groups) -> Result<(), StoreError> {
    let (shelf, name) = (shelf_of(head.period), name_of(head.period));
    let old = by_family(old);
    let row = |(key, count): (FamilyKey, u64)| {
        let (family, namespace, is_bot, is_redirect) = key;
        (shelf.clone(), name.clone(), family, namespace, is_bot, is_redirect, count.cast_signed(), head.version)
    };
    let changed = by_family(groups).into_iter().filter(|(key, count)| old.get(key) != Some(count));
    let rows: Vec<_> = changed.map(row).collect();
    write_all(&store.session, &store.rollups.derived.put_of_all, &rows, ONE_PARTITION).await
}

/// A family by its place in [`ProjectFamily::ALL`], namespace, bot, redirect.
type FamilyKey = (i32, i32, bool, bool);

fn by_family(groups: &Groups) -> BTreeMap<FamilyKey, u64> {
    let mut families = BTreeMap::new();
    for (group, count) in groups {
        let family = i32::try_from(ProjectFamily::of(&group.domain).number()).expect("a few families");
        *families.entry((family, group.namespace, group.is_bot, group.is_redirect)).or_default() += count;
    }
    families
}

async fn write_people<'m>(store: &CassandraStore, head: &Head, merged: &'m [Merged]) -> Result<(), StoreError> {
    let (shelf, name, version) = (shelf_of(head.period), name_of(head.period), head.version);
    let (shelf, name) = (shelf.as_str(), name.as_str());
    let parts = |merged: &'m Merged| {
        let user = &merged.user;
        let UserCount { user_name, domain, user_id, namespace, is_bot, is_redirect, page_count } = user;
        let kind = (*namespace, *is_bot, *is_redirect, page_count.cast_signed());
        (user_name.as_str(), domain.as_str(), user_id.to_string(), kind)
    };
    let person = |merged: &'m Merged| {
        let (user_name, domain, user_id, (namespace, is_bot, is_redirect, count)) = parts(merged);
        (user_name, shelf, name, domain, user_id, namespace, is_bot, is_redirect, count, version)
    };
    let account = |merged: &'m Merged| {
        let (user_name, domain, user_id, (namespace, is_bot, is_redirect, count)) = parts(merged);
        (domain, user_id, shelf, name, user_name, namespace, is_bot, is_redirect, count, version)
    };
    let (people, accounts): (Vec<_>, Vec<_>) = merged.iter().map(|merged| (person(merged), account(merged))).unzip();
    let (session, statements) = (&store.session, &store.rollups.derived);
    write_all(session, &statements.put_of_user_name, &people, MANY_PARTITIONS).await?;
    write_all(session, &statements.put_of_user, &accounts, MANY_PARTITIONS).await
}
