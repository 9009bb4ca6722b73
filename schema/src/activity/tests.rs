//! Series against counts written out by hand; against recounts they are tested where they are answered.

use super::*;
use crate::hour::HourRange;
use crate::period::{Period, TimeUnit};

fn count(at: &str, unit: TimeUnit, domain: &str, (namespace, is_bot): (i32, bool), page_count: u64) -> Count {
    let domain: Domain = domain.parse().unwrap();
    Count {
        period: Period::of(unit, at.parse().unwrap()),
        project_family: ProjectFamily::of(&domain),
        domain: Some(domain),
        namespace,
        is_bot,
        is_redirect: false,
        page_count,
    }
}

fn split(unit: TimeUnit, from: &str, to: &str, by: &[Dimension]) -> Split {
    let hours = HourRange { from: from.parse().unwrap(), to: to.parse().unwrap() };
    let buckets = PeriodRange::holding(unit, hours);
    Split { buckets, by: by.to_vec(), filter: PageFilter::default(), limit: 20, max_points: 1_000 }
}

fn name(key: &SeriesKey) -> String {
    let SeriesKey { domain, project_family, namespace, is_bot, is_redirect } = key;
    let parts = [
        domain.as_ref().map(Domain::to_string),
        project_family.map(|family| format!("{family:?}")),
        namespace.map(|number| number.to_string()),
        is_bot.map(|is_bot| format!("bot {is_bot}")),
        is_redirect.map(|is_redirect| format!("redirect {is_redirect}")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn check(split: &Split, counts: &[Count], expect: &[&str]) {
    let activity = split.apply(counts).expect("few points");
    let shown = |name: String, points: &Points| format!("{name} {}: {:?}", points.page_count, points.by_bucket);
    let mut lines: Vec<String> = activity.series.iter().map(|(key, points)| shown(name(key), points)).collect();
    lines.extend(activity.rest.as_ref().map(|points| shown("rest".into(), points)));
    assert_eq!(lines, expect);
    let all = activity.series.iter().map(|(_, points)| points).chain(&activity.rest);
    assert_eq!(all.map(|points| points.page_count).sum::<u64>(), activity.page_count);
}

const HOUR: TimeUnit = TimeUnit::Hour;

fn few() -> Vec<Count> {
    vec![
        count("2025-05-18-01", HOUR, "b.wikipedia.org", (0, false), 2),
        count("2025-05-18-01", HOUR, "a.wikipedia.org", (6, true), 2),
        count("2025-05-18-03", HOUR, "www.wikidata.org", (0, true), 3),
        count("2025-05-18-03", HOUR, "a.wikipedia.org", (0, false), 1),
        count("2025-05-18-03", HOUR, "c.wikipedia.org", (0, false), 1),
    ]
}

#[test]
fn hours_without_pages_are_0_in_every_series() {
    let all = split(HOUR, "2025-05-18-00", "2025-05-18-05", &[]);
    check(&all, &few(), &[" 9: [0, 4, 0, 5, 0]"]);
    let by_bot = split(HOUR, "2025-05-18-00", "2025-05-18-05", &[Dimension::Bot]);
    check(&by_bot, &few(), &["bot true 5: [0, 2, 0, 3, 0]", "bot false 4: [0, 2, 0, 2, 0]"]);
}

#[test]
fn the_largest_come_first_ties_by_key_and_the_others_are_the_rest() {
    let mut by_domain = split(HOUR, "2025-05-18-01", "2025-05-18-04", &[Dimension::Domain]);
    let all = [
        "a.wikipedia.org 3: [2, 0, 1]",
        "www.wikidata.org 3: [0, 0, 3]",
        "b.wikipedia.org 2: [2, 0, 0]",
        "c.wikipedia.org 1: [0, 0, 1]",
    ];
    check(&by_domain, &few(), &all);
    by_domain.limit = 4;
    check(&by_domain, &few(), &all);
    by_domain.limit = 2;
    check(&by_domain, &few(), &[all[0], all[1], "rest 3: [2, 0, 1]"]);
}

#[test]
fn several_dimensions_are_their_combinations() {
    let by = [Dimension::Bot, Dimension::ProjectFamily, Dimension::Namespace, Dimension::Redirect];
    check(
        &split(HOUR, "2025-05-18-01", "2025-05-18-04", &by),
        &few(),
        &[
            "Wikipedia 0 bot false redirect false 4: [2, 0, 2]",
            "Wikidata 0 bot true redirect false 3: [0, 0, 3]",
            "Wikipedia 6 bot true redirect false 2: [2, 0, 0]",
        ],
    );
}

#[test]
fn counts_of_shorter_periods_are_put_into_their_month() {
    let counts = [
        count("2024-02-29-23", HOUR, "a.wikipedia.org", (0, false), 1),
        count("2024-03-01-00", TimeUnit::Day, "a.wikipedia.org", (0, false), 10),
        count("2024-03-31-23", HOUR, "a.wikipedia.org", (0, false), 100),
        count("2024-04-01-00", TimeUnit::Month, "a.wikipedia.org", (0, false), 1_000),
        // Behind the range: left out.
        count("2024-05-01-00", HOUR, "a.wikipedia.org", (0, false), 10_000),
    ];
    check(&split(TimeUnit::Month, "2024-02-10-07", "2024-04-02-01", &[]), &counts, &[" 1111: [1, 110, 1000]"]);
    let days = split(TimeUnit::Day, "2024-02-29-22", "2024-03-02-00", &[]);
    check(&days, &counts[..3], &[" 11: [1, 10]"]);
}

#[test]
fn a_filter_leaves_pages_out_of_series_and_sum() {
    let mut wikipedia = split(HOUR, "2025-05-18-01", "2025-05-18-04", &[Dimension::Domain]);
    wikipedia.filter = PageFilter { project_families: vec![ProjectFamily::Wikipedia], ..PageFilter::default() };
    wikipedia.limit = 1;
    check(&wikipedia, &few(), &["a.wikipedia.org 3: [2, 0, 1]", "rest 3: [2, 0, 1]"]);
}

#[test]
fn without_pages_there_is_the_one_series_or_none() {
    check(&split(HOUR, "2025-05-18-01", "2025-05-18-03", &[]), &[], &[" 0: [0, 0]"]);
    check(&split(HOUR, "2025-05-18-01", "2025-05-18-01", &[]), &few(), &[" 0: []"]);
    check(&split(HOUR, "2025-05-18-01", "2025-05-18-03", &[Dimension::Domain]), &[], &[]);
}

#[test]
fn points_are_counted_with_those_of_the_rest() {
    let fits = |limit, max_points| {
        let by_domain = split(HOUR, "2025-05-18-01", "2025-05-18-04", &[Dimension::Domain]);
        Split { limit, max_points, ..by_domain }.apply(&few()).is_some()
    };
    assert!(fits(4, 12) && !fits(4, 11));
    assert!(fits(2, 9) && !fits(2, 8));
    // So many hours that already one series is too long.
    let long = split(HOUR, "1970-01-01-00", "9999-12-31-23", &[]);
    assert_eq!((long.starts(), long.apply(&[])), (None, None));
}

#[test]
fn the_series_read_are_those_that_tell_what_is_asked() {
    let wiki = |name: &str| name.parse::<Domain>().unwrap();
    let check = |by: &[Dimension], domains: &[&str], whose: Series, expect: &[Series]| {
        let mut asked = split(HOUR, "2025-05-18-01", "2025-05-18-04", by);
        asked.filter.domains = domains.iter().map(|name| wiki(name)).collect();
        assert_eq!(asked.series(&whose), expect, "{by:?} {domains:?} {whose:?}");
    };
    let (a, b) = (Series::Domain(wiki("a.org")), Series::Domain(wiki("b.org")));
    check(&[Dimension::ProjectFamily], &[], Series::All, &[Series::All]);
    check(&[Dimension::Bot, Dimension::Domain], &[], Series::All, &[Series::Domains]);
    check(&[Dimension::Domain], &["a.org", "b.org"], Series::All, &[a.clone(), b]);
    let person = Series::UserName("Ann".into());
    check(&[Dimension::Domain], &["a.org"], person.clone(), std::slice::from_ref(&person));
    check(&[Dimension::Domain], &[], a.clone(), std::slice::from_ref(&a));
}
