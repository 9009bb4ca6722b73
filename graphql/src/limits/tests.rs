//! Hostile documents: each is refused, by name, before it costs anything.

use super::*;
use std::fmt::Write;

fn refusal(query: &str, variables: serde_json::Value) -> Option<String> {
    admit(query, &Variables::from_json(variables), &Limits::default()).err().map(|error| error.message)
}

fn check_refused(query: &str, begins: &str) {
    let message = refusal(query, serde_json::json!({})).unwrap_or_else(|| "admitted".into());
    assert!(message.starts_with(begins), "{message:?}, wanted {begins:?}: {}", &query[..query.len().min(100)]);
}

fn check_admitted(query: &str) {
    assert_eq!(refusal(query, serde_json::json!({})), None, "{query}");
}

/// Fragments that each spread the next one twice: 2^n selections from a few bytes each.
fn doubling(n: usize, last: &str) -> String {
    let mut text = String::from("{ ...f0 }\n");
    for i in 0..n {
        writeln!(text, "fragment f{i} on Query {{ ...f{} ...f{} }}", i + 1, i + 1).unwrap();
    }
    text + &format!("fragment f{n} on Query {{ {last} }}")
}

#[test]
fn doubling_fragments_are_counted_not_walked() {
    check_refused(&doubling(24, "pipeline { version }"), "selections: ");
    // Beyond 2^64: the sum stops at the top instead of wrapping.
    let limits = Limits { fragments: 100, ..Limits::default() };
    let error = admit(&doubling(80, "pipeline { version }"), &Variables::default(), &limits).err().unwrap();
    assert!(error.message.starts_with(&format!("selections: {}", u64::MAX)), "{}", error.message);
    check_refused(&doubling(60, "pipeline { version }"), "fragments: 61");
    // A spread of nothing and an introspection count too.
    check_refused(&doubling(24, "...nowhere"), "selections: ");
    check_refused(&doubling(24, "__schema { types { name } }"), "selections: ");
}

#[test]
fn a_cycle_is_refused() {
    check_refused("{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }", "the fragment ");
    check_refused("{ pipeline { version } } fragment a on Query { ...a }", "the fragment a contains itself");
}

#[test]
fn a_flood_is_refused_by_its_text() {
    let many = |n: usize, text: &dyn Fn(usize) -> String| (0..n).map(text).collect::<Vec<_>>().join(" ");
    check_refused(
        &format!("{{ {} }}", many(50_000, &|i| format!("a{i}: pipeline {{ version }}"))),
        "bytes of the document: ",
    );
    check_refused(&format!("{{ {} }}", many(21, &|i| format!("a{i}: __typename"))), "fields of the root: 21");
    check_refused(&format!("{{ pipeline {{ {} }} }}", many(31, &|i| format!("a{i}: version"))), "aliases: 31");
    check_refused(&format!("{{ pipeline {{ {} }} }}", "version ".repeat(2_000)), "tokens of the document: ");
    check_refused(&format!("{{ pipeline {{ version {} }} }}", "@skip(if: false) ".repeat(21)), "directives: 21");
    check_refused(&"x".repeat(3_000_000), "bytes of the document: 3000000");
}

/// A document that has exactly `n` of something is admitted at the limit, and refused above it.
fn check_limit(most: u64, named: &str, document: impl Fn(usize) -> String) {
    let most = usize::try_from(most).expect("a few");
    check_admitted(&document(most));
    check_refused(&document(most + 1), &format!("{named}: {}, at most {most} in one request", most + 1));
}

#[test]
fn as_much_as_a_limit_says_is_admitted_and_no_more() {
    let limits = Limits::default();
    let of_pipeline = |fields: String| format!("{{ pipeline {{ {fields} }} }}");
    let many = |n: usize, field: &dyn Fn(usize) -> String| (0..n).map(field).collect::<Vec<_>>().join(" ");
    check_limit(limits.document_bytes, "bytes of the document", |n| format!("{:#<n$}", "{ __typename } #"));
    check_limit(limits.tokens, "tokens of the document", |n| of_pipeline("version ".repeat(n - 5)));
    check_limit(limits.directives, "directives", |n| of_pipeline(format!("version {}", "@skip(if: false) ".repeat(n))));
    check_limit(limits.nesting, "brackets within each other", |n| {
        format!("{{ pages(filter: {}1{}) {{ totalCount }} }}", "[".repeat(n - 2), "]".repeat(n - 2))
    });
    check_limit(limits.fragments, "fragments", |n| {
        format!("{{ __typename }} {}", many(n, &|i| format!("fragment f{i} on Query {{ __typename }}")))
    });
    check_limit(limits.depth, "fields within each other", |n| format!("{}{}", "{ a ".repeat(n), "}".repeat(n)));
    check_limit(limits.aliases, "aliases", |n| of_pipeline(many(n, &|i| format!("a{i}: version"))));
    check_limit(limits.root_fields, "fields of the root", |n| format!("{{ {} }}", "__typename ".repeat(n)));
    // 49 spreads of 99 fields each, and as many fields beside them as are left.
    check_limit(limits.selections, "selections", |n| {
        let fields = format!("{} {}", "...f ".repeat(49), "version ".repeat(n - 1 - 49 * 100));
        format!("{} fragment f on Pipeline {{ {} }}", of_pipeline(fields), "version ".repeat(99))
    });
    check_limit(limits.introspection_depth, "fields of an introspection within each other", |n| {
        format!("{{ __type(name: \"Query\") {{ {} name {} }} }}", "ofType { ".repeat(n - 2), "}".repeat(n - 2))
    });
    assert_eq!(cost("{ topDomains(limit: 4500) { rank } }"), limits.cost);
    check_refused("{ topDomains(limit: 4501) { rank } }", "cost: 5001, at most 5000 in one request");
    let event = |size: usize, title: &str| {
        format!(
            "subscription {{ pageCreated {{ page {{ {title} domain {{ pages(first: {size}) {{ nodes {{ id }} }} }} }} }} }}"
        )
    };
    check_admitted(&event(13, "title"));
    check_refused(&event(14, ""), "cost of each event: 41, at most 40 in one request");
}

#[test]
fn deep_nesting_never_reaches_the_parser() {
    for (open, close) in [("[", "]"), ("{a:", "}")] {
        let value = format!("{}1{}", open.repeat(3_000), close.repeat(3_000));
        check_refused(&format!("{{ pages(filter: {value}) {{ nodes {{ id }} }} }}"), "tokens of the document: ");
        check_refused(
            &format!("{{ pages(filter: {}1{}) {{ id }} }}", open.repeat(50), close.repeat(50)),
            "brackets within each other: ",
        );
    }
    check_refused(&"{a".repeat(900), "brackets within each other: 900");
    check_refused(&format!("{}{}", "{a".repeat(12), "}".repeat(12)), "fields within each other: 12");
}

#[test]
fn lists_of_lists_cost_their_product() {
    check_refused("{ pages(first: 2147483647) { nodes { id } } }", "cost: ");
    check_admitted("query($n: Int) { pages(first: $n) { nodes { id } } }");
    check_refused("query($n: Int = 2147483647) { pages(first: $n) { nodes { id } } }", "cost: ");
    let query = "query($n: Int) { pages(first: $n) { nodes { id } } }";
    assert!(refusal(query, serde_json::json!({ "n": 2_000_000_000 })).is_some());
    check_refused("{ domains(first: 100) { nodes { pages(first: 100) { nodes { id } } } } }", "cost: ");
    check_refused("{ domains(last: 100) { nodes { pages(last: 100) { nodes { id } } } } }", "cost: ");
    check_refused("{ domains(first: null, last: 100) { nodes { pages(first: 100) { nodes { id } } } } }", "cost: ");
    check_refused("{ hours(during: {}, first: 100) { nodes { users { nodes { id } } } } }", "cost: ");
}

#[test]
fn the_dearest_list_is_named() {
    let user = "user { pages(last: 100) { nodes { id title } } }";
    let told = "cost: 31222, at most 5000 in one request; most of it is pages × 100 / nodes / user / pages × 100";
    let query =
        format!("{{ wikis: domains(first: 1) {{ nodes {{ id }} }} pages(first: 100) {{ nodes {{ {user} }} }} }}");
    assert_eq!(refusal(&query, serde_json::json!({})).expect("refused"), told);
    let query = format!(
        "{{ domains(first: 1) {{ nodes {{ id }} }} ... {{ ...f }} }} fragment f on Query {{ pages(first: 100) {{ nodes {{ ... {{ {user} }} }} }} }}"
    );
    assert_eq!(refusal(&query, serde_json::json!({})).expect("refused"), told);
    check_refused(
        "subscription { pageCreated { page { domain { pages(first: 50) { nodes { id } } } } } }",
        "cost of each event: 113, at most 40 in one request; most of it is pageCreated / page / domain / pages × 50",
    );
    // No list is to blame.
    let many = (0..13).map(|i| format!("a{i}: overview {{ current {{ userCount }} }}")).collect::<Vec<_>>().join(" ");
    let message = refusal(&format!("{{ {many} }}"), serde_json::json!({})).expect("refused");
    assert!(message.ends_with("at most 5000 in one request"), "{message}");
}

#[test]
fn each_event_of_a_subscription_has_a_small_budget() {
    check_admitted("subscription { pageCreated { page { title url domain { name } user { userName } } missedCount } }");
    check_refused("subscription { pageCreated { page { hour { userCount } } } }", "cost of each event: ");
    check_refused("subscription { pageCreated { page { hour { users(first: 1) { totalCount } } } } }", "cost of each");
    check_refused(
        "subscription { pageCreated { page { domain { pages(first: 50) { nodes { id } } } } } }",
        "cost of each",
    );
}

#[test]
fn a_subscription_has_one_root() {
    let two = "a: pageCreated { cursor } b: pageCreated { cursor }";
    check_refused(&format!("subscription {{ {two} }}"), "fields of a subscription's root: 2, at most 1");
    check_refused(&format!("subscription {{ ...f }} fragment f on Subscription {{ {two} }}"), "fields of a subscr");
}

#[test]
fn levels_are_counted_whichever_fragment_was_measured_first() {
    let level =
        |i: usize| format!("fragment f{i} on Query {{ {}...f{}{} }}", "... {".repeat(30), i + 1, "}".repeat(30));
    let mut fragments: Vec<String> = (0..9).map(level).collect();
    fragments.push("fragment f9 on Query { pipeline { version } }".into());
    let document = |names: &[usize]| {
        let spreads: Vec<String> = names.iter().map(|i| format!("...f{i}")).collect();
        let first = names.iter().min().copied().unwrap_or_default();
        format!("{{ {} }} {}", spreads.join(" "), fragments[first..].join(" "))
    };
    check_refused(&document(&[0]), "selections within each other: ");
    // From the last one on, each is known when it is met.
    check_refused(&document(&[9, 8, 7, 6, 5, 4, 3, 2, 1, 0]), "selections within each other: ");
    check_admitted(&document(&[9, 8, 7]));
}

#[test]
fn a_number_that_is_no_size_is_left_to_the_validation() {
    check_admitted("{ pages(first: 1.5) { nodes { id } } }");
}

#[test]
fn rankings_are_dear() {
    let many = (0..26).map(|i| format!("a{i}: topDomains(limit: 1) {{ rank }}")).collect::<Vec<_>>().join(" ");
    let within = Limits { root_fields: 100, ..Limits::default() };
    let refused = admit(&format!("{{ {many} }}"), &Variables::default(), &within).err().unwrap();
    assert!(refused.message.starts_with("cost: "), "{}", refused.message);
}

/// All wikis of an hour: few where only their rows are told, many where each is read.
#[test]
fn what_is_read_of_each_wiki_of_a_report_costs_all_wikis() {
    let report = |below: &str| format!("{{ reports(hours: 2) {{ domainsByHour {{ domains {{ {below} }} }} }} }}");
    assert_eq!(cost(&report("pageCount domain { name }")), 1 + 100 + 2 * (10 + 1 + 20 * 3));
    let of_each = report("domain { pageCount }");
    check_refused(&of_each, &format!("cost: {}, at most 5000", 1 + 100 + 2 * (10 + 1 + 300 * 11)));
    check_refused("{ reports { botPagesByDomain { domain { pages(first: 5) { nodes { id } } } } } }", "cost: ");
    assert!(cost("{ reports { botPagesByDomain { domain { wiki } pageCount } } }") < 300);
}

#[test]
fn people_in_a_window_are_dear_to_find_again() {
    let of_report = data_encoding::BASE64URL_NOPAD.encode(b"r 2025-05-18-04 2025-05-18-10 Alex brollo");
    let of_person = data_encoding::BASE64URL_NOPAD.encode(b"g Alex brollo");
    let node = |id: &str| format!("{{ node(id: {id:?}) {{ id }} }}");
    assert_eq!((cost(&node(&of_report)), cost(&node(&of_person))), (202, 2));
    assert_eq!(cost(&format!("{{ nodes(ids: {of_report:?}) {{ id }} }}")), 202);
    let ids = vec![of_report.clone(); 30];
    check_refused(&format!("{{ nodes(ids: {ids:?}) {{ id }} }}"), "cost: 6060,");
    let message = |query: &str, variables| refusal(query, variables).unwrap_or_default();
    let query = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }";
    assert!(message(query, serde_json::json!({ "ids": ids })).starts_with("cost: 6060,"));
    assert_eq!(message(query, serde_json::json!({ "ids": vec![of_person; 30] })), "");
    let query = format!(
        "query($a: ID!) {{ {} }}",
        (0..20).map(|i| format!("n{i}: nodes(ids: [$a, $a]) {{ id }} ")).collect::<String>()
    );
    assert!(message(&query, serde_json::json!({ "a": of_report })).starts_with("cost: 8080,"));
}

fn cost(query: &str) -> u64 {
    admit(query, &Variables::default(), &Limits::default()).map(|admitted| admitted.cost).unwrap_or(u64::MAX)
}

#[test]
fn numbers_that_come_with_their_list_cost_no_read_of_their_own() {
    assert_eq!(cost("{ topDomains(limit: 100) { pageCount botPageCount growth } }"), 500 + 100 * 3);
    assert_eq!(cost("{ topDomains(limit: 100) { domain { pageCount } } }"), 500 + 100 * (1 + 10));
    assert_eq!(cost("{ activity(limit: 2) { series { pageCount points { pageCount } } } }"), 500 + 2 * 4);
    assert_eq!(cost("{ activity { series { domain { pageCount } } } }"), 500 + 20 * (1 + 1 + 10));
    // A fragment weighs by where it is spread.
    let spread = "{ domain(name: \"x\") { ...f } topDomains(limit: 1) { domain { ...f } } }
        fragment f on Domain { pageCount }";
    assert_eq!(cost(spread), 1 + 10 + 500 + 1 + 10);
}

#[test]
fn charts_totals_and_people_are_dear() {
    let many = |n: usize, field: &str| (0..n).map(|i| format!("a{i}: {field}")).collect::<Vec<_>>().join(" ");
    let lines = "activity(during: {}, limit: 100) { rest { points { pageCount } }
        series { domain { name } isBot pageCount points { start pageCount } } }";
    check_admitted(&format!("{{ {lines} }}"));
    check_refused(&format!("{{ {} }}", many(5, lines)), "cost: ");
    check_refused(&format!("{{ {} }}", many(10, "activity(during: {}, limit: 1) { pageCount }")), "cost: ");
    check_refused(&format!("{{ domains(first: 10) {{ nodes {{ {lines} }} }} }}"), "cost: ");
    check_refused(&format!("{{ {} }}", many(7, "topUsers(limit: 1) { rank }")), "cost: ");
    check_refused(&format!("{{ {} }}", many(13, "overview { current { userCount } }")), "cost: ");
    check_refused("{ topUsers(limit: 100) { user { accounts { userId } } } }", "cost: ");
}

#[test]
fn a_report_costs_its_hours() {
    let report = |hours: &str| {
        format!("{{ reports{hours} {{ domainsByHour {{ domains {{ pageCount domain {{ name }} }} }} }} }}")
    };
    let cost_of = |hours: u64| 1 + 100 + hours * (10 + 1 + 20 * 3);
    assert_eq!(cost(&report("")), cost_of(6));
    assert_eq!(cost(&report("(hours: 24, skip: 0)")), cost_of(24));
    // As the SDL says.
    check_admitted(&report("(hours: 69)"));
    check_refused(&report("(hours: 70)"), "cost: ");
    check_admitted(
        "{ reports(hours: 168) { domainsByHour { start } botPagesByDomain { pageCount domain { name } } } }",
    );
    let many = |hours| {
        (0..5)
            .map(|i| format!("r{i}: reports(hours: {hours}) {{ botPagesByDomain {{ pageCount }} }} "))
            .collect::<String>()
    };
    check_admitted(&format!("{{ {} }}", many(6)));
    check_refused(&format!("{{ {} }}", many(168)), "cost: ");
    let asked = report("(hours: $n)").replacen('{', "query($n: Int = 6) {", 1);
    assert_eq!(cost(&asked), cost_of(6));
    assert!(refusal(&asked, serde_json::json!({ "n": 168 })).is_some());
    // One fragment in reports of different lengths.
    let spread = |a: u64, b: u64| {
        format!(
            "{{ a: reports(hours: {a}) {{ ...f }} b: reports(hours: {b}) {{ ...f }} }}
            fragment f on Reports {{ domainsByHour {{ domains {{ pageCount domain {{ name }} }} }} }}"
        )
    };
    assert_eq!(cost(&spread(2, 30)), cost_of(2) + cost_of(30));
    check_refused(&spread(100, 1), "cost: ");
}

#[test]
fn a_filter_costs_the_rows_that_it_drops() {
    let of_wikis = |arguments: &str| {
        let pages = format!("pages(first: 1{arguments}) {{ nodes {{ id }} }}");
        format!("query($f: PageFilter) {{ domains(first: 100) {{ nodes {{ {pages} }} }} }}")
    };
    check_admitted(&of_wikis(""));
    check_admitted(&of_wikis(", filter: $f"));
    check_refused(&of_wikis(", filter: {isBot: true}"), "cost: ");
    assert!(refusal(&of_wikis(", filter: $f"), serde_json::json!({ "f": { "isBot": true } })).is_some());
}

#[test]
fn what_people_ask_is_admitted() {
    check_admitted("{ pages(first: 100) { nodes { id title url user { userName url } domain { name wiki } } } }");
    check_admitted("{ hours(during: {lastHours: 24}, first: 24) { nodes { hour pageCount botPageCount } } }");
    check_admitted("{ domains(first: 50) { nodes { name pages(first: 1) { nodes { title } } } } }");
    check_admitted("query a { __typename } query b { __typename }");
}

/// The query that GraphiQL and code generators send.
const INTROSPECTION: &str = "query IntrospectionQuery { __schema { queryType { name } mutationType { name }
    subscriptionType { name } types { ...FullType } directives { name description isRepeatable locations
    args(includeDeprecated: true) { ...InputValue } } } }
    fragment FullType on __Type { kind name description specifiedByURL fields(includeDeprecated: true) { name description
    args(includeDeprecated: true) { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason }
    inputFields(includeDeprecated: true) { ...InputValue } interfaces { ...TypeRef }
    enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason } possibleTypes { ...TypeRef } }
    fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue isDeprecated deprecationReason }
    fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name
    ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } } } }";

#[test]
fn an_introspection_has_a_budget_of_its_own() {
    check_admitted(INTROSPECTION);
    let deep = "{ __schema { types { fields { type { fields { type { fields { type { name } } } } } } } } }";
    check_refused(deep, "cost of the introspection: ");
}

#[test]
fn a_default_holds_for_its_own_operation() {
    let dear = "pages(first: $n) { nodes { user { pages(first: $n) { nodes { id } } } } }";
    let cheap: String =
        (0..20).map(|i| format!(" query B{i}($n: Int = 1) {{ pages(first: $n) {{ totalCount }} }}")).collect();
    let refused = |operation: &str, rest: &str| check_refused(&format!("{operation}{cheap}{rest}"), "cost: ");
    for _ in 0..20 {
        refused(&format!("query A($n: Int = 100) {{ {dear} }}"), "");
        refused("query A($n: Int = 100) { ...F }", &format!(" fragment F on Query {{ {dear} }}"));
        // A fragment that others spread, too, each with its own default.
        let shared = cheap.replace("pages(first: $n) { totalCount }", "...F");
        check_refused(
            &format!("{shared} query A($n: Int = 100) {{ ...F }} fragment F on Query {{ {dear} }}"),
            "cost: ",
        );
    }
    check_admitted(&format!("query A($n: Int = 10) {{ {dear} }}{cheap}"));
}
