//! Requests that have brought servers down, or were made to.

use serde_json::json;

/// One request.
pub(super) struct Attack {
    pub(super) name: &'static str,
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) body: String,
    /// Whether the body is meant as an operation: then it may come by any way.
    pub(super) is_operation: bool,
}

impl Attack {
    /// What is answered.
    pub(super) fn harmless() -> Self {
        post("harmless", r#"{"query":"{ __typename }"}"#.into())
    }
}

/// All of them.
pub(super) fn attacks() -> Vec<Attack> {
    let documents = [fragments(), floods(), nested(), texts()].concat();
    let posted = documents.into_iter().map(|(name, query)| post(name, json!({ "query": query }).to_string()));
    posted.chain(bodies()).chain(addresses()).collect()
}

fn post(name: &'static str, body: String) -> Attack {
    Attack { name, method: "POST", path: "/graphql".into(), body, is_operation: true }
}

type Documents = Vec<(&'static str, String)>;

/// `levels` fragments, each of which spreads the next `times` times.
fn multiplied(levels: usize, times: usize) -> String {
    let spreads = |level: usize| format!("...f{level} ").repeat(times);
    let fragments: String =
        (0..levels).map(|level| format!("fragment f{level} on Query {{ {} }} ", spreads(level + 1))).collect();
    format!("{{ ...f0 }} {fragments} fragment f{levels} on Query {{ __typename }}")
}

fn fragments() -> Documents {
    let cycle: String = (0..40).map(|i| format!("fragment f{i} on Query {{ ...f{} }} ", (i + 1) % 40)).collect();
    let many: String = (0..60).map(|i| format!("fragment f{i} on Query {{ __typename }} ")).collect();
    vec![
        ("fragments doubled 24 times", multiplied(24, 2)),
        ("fragments tenfold 8 times", multiplied(8, 10)),
        ("fragments doubled 60 times", multiplied(60, 2)),
        ("fragments doubled 48 times", multiplied(48, 2)),
        ("a fragment of itself", "{ ...f } fragment f on Query { ...f }".into()),
        ("a cycle of fragments", format!("{{ ...f0 }} {cycle}")),
        ("a cycle that is not spread", format!("{{ __typename }} {cycle}")),
        ("60 fragments", format!("{{ ...f0 }} {many}")),
    ]
}

fn floods() -> Documents {
    let numbered = |count: usize, text: &str| (0..count).map(|i| text.replace('#', &i.to_string())).collect::<String>();
    vec![
        ("50,000 aliases", format!("{{ {} }}", numbered(50_000, "a#: __typename "))),
        ("300 aliases", format!("{{ {} }}", numbered(300, "a#: __typename "))),
        ("50,000 same fields", format!("{{ {} }}", "__typename ".repeat(50_000))),
        ("1,500 same fields", format!("{{ {} }}", "__typename ".repeat(1_500))),
        ("overlapping fields", format!("{{ {} }}", "pages { nodes { id title } } ".repeat(200))),
        (
            "overlapping fields that differ",
            format!("{{ {} }}", numbered(200, "x: page(domain: \"d\", pageId: \"#\") { id } ")),
        ),
        ("1,800 unknown fields", format!("{{ pages {{ nodes {{ {} }} }} }}", numbered(1_800, "x# "))),
        ("a flood of directives", format!("{{ __typename {} }}", "@include(if: true) ".repeat(300))),
        ("a flood of unknown directives", format!("{{ __typename {} }}", "@a".repeat(900))),
        ("many operations", numbered(300, "query q# { __typename } ")),
    ]
}

fn nested() -> Documents {
    let value = |open: &str, close: &str, levels: usize| {
        format!("{{ pages(filter: {}1{}) {{ nodes {{ id }} }} }}", open.repeat(levels), close.repeat(levels))
    };
    let types = "type { fields { ".repeat(8);
    let lists = "{ domains(first: 100) { nodes { pages(first: 100) { nodes { user { pages(first: 100) { nodes { id } } } } } } } }";
    vec![
        ("lists within each other, 3,000", value("[", "]", 3_000)),
        ("lists within each other, 100", value("[", "]", 100)),
        ("objects within each other, 3,000", value("{a:", "}", 3_000)),
        ("objects within each other, 100", value("{a:", "}", 100)),
        ("fields within each other", format!("{}{}", "{ a ".repeat(900), "}".repeat(900))),
        ("fields that never end", "{a".repeat(5_000)),
        (
            "a circular introspection",
            format!("{{ __schema {{ types {{ fields {{ {types} name {} }} }} }} }}", "} }".repeat(8)),
        ),
        ("lists of lists", lists.into()),
        ("a list without end", "{ pages(first: 2147483647) { nodes { id } } }".into()),
        ("a list beyond numbers", format!("{{ pages(first: 9{}) {{ nodes {{ id }} }} }}", "9".repeat(400))),
    ]
}

fn texts() -> Documents {
    vec![
        ("a comment of 3 MB", format!("{{ __typename }} #{}", "x".repeat(3_000_000))),
        ("a comment of 100 KB", format!("{{ __typename }} #{}", "x".repeat(100_000))),
        ("a text of escapes", format!("{{ domain(name: \"{}\") {{ name }} }}", r"\u0000\uD800".repeat(5_000))),
        ("half a surrogate", r#"{ domain(name: "\uD800") { name } "#.into()),
        ("a text without end", format!("{{ domain(name: \"{}", "x".repeat(15_000))),
        ("only brackets", "{".repeat(15_000)),
    ]
}

fn bodies() -> Vec<Attack> {
    let ids: Vec<usize> = (0..20_000).collect();
    let huge = json!({ "query": "{ __typename }", "variables": { "x": "y".repeat(3_000_000) } });
    let many = json!({ "query": "query($ids: [ID!]!) { nodes(ids: $ids) { id } }", "variables": { "ids": ids } });
    let deep =
        format!(r#"{{"query":"{{ __typename }}","variables":{{"x":{}{}}}}}"#, "[".repeat(50_000), "]".repeat(50_000));
    // 24 KB that each of 250 fields is asked with.
    let large: Vec<_> = (0..3_000).map(|_| json!({ "a": 0 })).collect();
    let used = |query: String| json!({ "query": query, "variables": { "v": large } }).to_string();
    let beside = used(format!("query($v: [Int]) {{ {} }}", "a(first: $v) ".repeat(250)));
    let within = used(format!(
        "query($v: [Int]) {{ {} }}",
        format!("{} {} ", "a(first: $v) { ".repeat(9), "} ".repeat(9)).repeat(25)
    ));
    let batch = vec![r#"{"query":"{ pages { nodes { id } } }"}"#; 3_000].join(",");
    let escaped: String = (0..20_000).map(|_| "\\u007b").collect();
    vec![
        post("a batch", format!("[{batch}]")),
        post("variables of 3 MB", huge.to_string()),
        post("20,000 ids", many.to_string()),
        post("variables within each other", deep),
        post("a large variable used often", beside),
        post("a large variable used deeply", within),
        post("a document of escapes", format!(r#"{{"query":"{escaped}"}}"#)),
        post("no JSON", "\u{0}".repeat(100_000)),
    ]
}

fn addresses() -> Vec<Attack> {
    let long = Attack {
        name: "an address of 20,000 brackets",
        method: "GET",
        path: format!("/graphql?query={}", "%7B".repeat(20_000)),
        body: String::new(),
        is_operation: false,
    };
    vec![long]
}
