//! What people paste and type, and what it means.

use super::*;

/// What is meant, in a line: `title wiki X`, `number wiki N`, `wiki W`, `person N`, `page N`, `part P`.
fn shown(text: &str) -> String {
    let Meaning { address, user_name, page_id, part_of_name } = Meaning::of(text);
    let address = address.map(|address| match address {
        Address::Title(domain, title) => format!("title {domain} {title}"),
        Address::Number(domain, number) => format!("number {domain} {number}"),
        Address::Wiki(domain) => format!("wiki {domain}"),
    });
    let all = [
        address,
        user_name.map(|name| format!("person {name}")),
        page_id.map(|number| format!("page {number}")),
        part_of_name.map(|part| format!("part {part}")),
    ];
    all.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn check(cases: &[(&str, &str)]) {
    for (text, wanted) in cases {
        assert_eq!(shown(text), *wanted, "{text}");
    }
}

#[test]
fn addresses_of_pages() {
    let villani = "title it.wikisource.org Pagina:Villani_-_Cronica.djvu/29";
    check(&[
        ("https://it.wikisource.org/wiki/Pagina:Villani_-_Cronica.djvu/29", villani),
        ("http://it.wikisource.org/wiki/Pagina:Villani_-_Cronica.djvu/29#Note", villani),
        ("HTTPS://IT.Wikisource.org/wiki/Pagina:Villani_-_Cronica.djvu/29?action=history", villani),
        ("it.wikisource.org/wiki/Pagina:Villani_-_Cronica.djvu/29", villani),
        ("//it.wikisource.org/wiki/Pagina:Villani_-_Cronica.djvu/29", villani),
        ("https://it.wikisource.org:443/wiki/Pagina:Villani_-_Cronica.djvu/29", villani),
        ("https://it.wikisource.org./wiki/Pagina:Villani_-_Cronica.djvu/29", villani),
        ("https://it.m.wikisource.org/wiki/Pagina:Villani_-_Cronica.djvu/29", villani),
        ("https://it.wikisource.org/wiki/Pagina:Villani%20-_Cronica.djvu%2F29", villani),
        ("https://it.wikisource.org/w/index.php?title=Pagina:Villani_-_Cronica.djvu/29&oldid=7", villani),
        ("https://it.wikisource.org/w/index.php?oldid=7&title=Pagina%3AVillani+-+Cronica.djvu%2F29", villani),
        ("https://it.wikisource.org/w/index.php/Pagina:Villani_-_Cronica.djvu/29", villani),
        ("https://it.wikisource.org/wiki/:Pagina:Villani__-_Cronica.djvu/29_", villani),
        ("https://it.wikipedia.org/wiki/Perch%C3%A9%3F", "title it.wikipedia.org Perché?"),
        ("https://it.wikipedia.org/wiki/Perché", "title it.wikipedia.org Perché"),
        ("https://en.wikipedia.org/wiki/C++", "title en.wikipedia.org C++"),
        ("https://en.wikipedia.org/wiki/AT&T", "title en.wikipedia.org AT&T"),
        ("https://en.wiktionary.org/wiki/cat", "title en.wiktionary.org cat"),
        ("https://zh.wikipedia.org/zh-hans/汉语", "title zh.wikipedia.org 汉语"),
        ("https://www.wikidata.org/wiki/Q42", "title www.wikidata.org Q42"),
        ("https://www.wikidata.org/entity/Q42", "title www.wikidata.org Q42"),
        ("https://m.wikidata.org/wiki/Q42", "title www.wikidata.org Q42"),
        ("https://www.m.wikidata.org/wiki/Q42", "title www.wikidata.org Q42"),
        ("wikidata.org/wiki/Q42", "title www.wikidata.org Q42"),
        ("https://commons.m.wikimedia.org/wiki/File:A.jpg", "title commons.wikimedia.org File:A.jpg"),
        ("https://m.mediawiki.org/wiki/MediaWiki", "title www.mediawiki.org MediaWiki"),
        ("https://www.wikisource.org/wiki/Main_Page", "title wikisource.org Main_Page"),
        ("https://m.wikisource.org/wiki/Main_Page", "title wikisource.org Main_Page"),
        ("https://be-tarask.wikipedia.org/wiki/А", "title be-tarask.wikipedia.org А"),
        // The last one counts, as on the wiki.
        ("https://it.wikipedia.org/w/index.php?title=A&title=B", "title it.wikipedia.org B"),
    ]);
}

#[test]
fn addresses_with_a_number() {
    let page = "number it.wikisource.org 975886";
    check(&[
        ("https://it.wikisource.org/?curid=975886", page),
        ("https://it.wikisource.org?curid=975886", page),
        ("it.wikisource.org?curid=975886", page),
        ("https://it.m.wikisource.org/w/index.php?curid=975886&title=Other", page),
        ("https://it.wikisource.org/w/index.php?title=A&curid=x", ""),
        ("https://it.wikisource.org/?curid=0", ""),
        ("https://it.wikisource.org/w/index.php?curid=99999999999999999999", ""),
        // A revision is no page.
        ("https://it.wikisource.org/w/index.php?oldid=975886", ""),
        ("https://it.wikisource.org/?diff=975886", ""),
    ]);
}

#[test]
fn addresses_of_wikis_and_people() {
    let brollo = "title it.wikisource.org User:Alex_brollo, person Alex brollo";
    check(&[
        ("https://it.wikisource.org", "wiki it.wikisource.org"),
        ("https://it.wikisource.org/", "wiki it.wikisource.org"),
        ("it.wikisource.org/", "wiki it.wikisource.org"),
        ("https://it.m.wikisource.org/wiki/", "wiki it.wikisource.org"),
        ("https://it.wikisource.org/wiki/User:Alex_brollo", brollo),
        ("https://it.m.wikisource.org/wiki/User:Alex_brollo?uselang=en#x", brollo),
        ("it.wikisource.org/wiki/User:Ann/Sandbox", "title it.wikisource.org User:Ann/Sandbox, person Ann"),
        ("https://it.wikisource.org/wiki/User_talk:Ann", "title it.wikisource.org User_talk:Ann, person Ann"),
        (
            "https://it.wikisource.org/wiki/Special:Contributions/Ann",
            "title it.wikisource.org Special:Contributions/Ann, person Ann",
        ),
        (
            "https://it.wikisource.org/w/index.php?title=Special:Contributions/Ann&limit=500",
            "title it.wikisource.org Special:Contributions/Ann, person Ann",
        ),
        ("https://it.wikisource.org/wiki/Special:Log/Ann", "title it.wikisource.org Special:Log/Ann"),
        ("https://it.wikisource.org/wiki/Utente:Alex_brollo", "title it.wikisource.org Utente:Alex_brollo"),
    ]);
}

#[test]
fn names_and_numbers() {
    check(&[
        ("itwikisource", "person Itwikisource, part itwikisource"),
        ("it.wikisource.org", "person It.wikisource.org, part it.wikisource.org"),
        ("IT.Wikisource", "person IT.Wikisource, part it.wikisource"),
        ("it.m.wikisource.org", "person It.m.wikisource.org, part it.wikisource.org"),
        ("m.wikidata.org", "person M.wikidata.org, part www.wikidata.org"),
        ("975886", "person 975886, page 975886, part 975886"),
        ("#975886", "page 975886"),
        ("# 975886", "page 975886"),
        ("#0", ""),
        ("#x", ""),
        ("0975", "person 0975, part 0975"),
        ("９７５", "person ９７５"),
        ("Alex brollo", "person Alex brollo"),
        ("alex_brollo", "person Alex brollo, part alex_brollo"),
        ("  alex   brollo_", "person Alex brollo"),
        ("User:alex_brollo", "person Alex brollo"),
        ("user: Alex brollo", "person Alex brollo"),
        ("User:", ""),
        ("User:A/B", "person A"),
        ("User:/B", ""),
        ("user talk:alex_brollo", "person Alex brollo"),
        ("Special:contributions/Alex brollo", "person Alex brollo"),
        ("Special:Contributions", ""),
        ("élan", "person Élan"),
        ("ßeta", "person ßeta"),
        ("~2025-12345-67", "person ~2025-12345-67"),
        ("AC/DC", ""),
        ("a|b", ""),
    ]);
}

#[test]
fn what_means_nothing() {
    check(&[
        ("https://", ""),
        ("https:///wiki/X", ""),
        ("https://localhost/wiki/X", ""),
        ("https://evil.org@it.wikisource.org/wiki/X", ""),
        ("https://it.wikisource.org/wiki/%FF", ""),
        ("https://it.wikisource.org/wiki/%20_", ""),
        ("https://it.wikisource.org/api/rest_v1/page/X", ""),
        ("javascript://it.wikisource.org/wiki/X", ""),
        ("-- ' OR 1=1; DROP TABLE pages", "person -- ' OR 1=1; DROP TABLE pages"),
        ("?", "person ?"),
        ("/", ""),
    ]);
    assert_eq!(shown("\u{202e}x\0"), "person \u{202e}x\0", "it is bound to a statement, never part of it");
    assert_eq!(shown(&"x".repeat(256)), format!("part {}", "x".repeat(256)));
}

#[test]
fn no_part_of_an_address_is_too_strange() {
    for whole in
        ["HTTPS://é.m.wiki%FFsource.org.:443/wiki/User:%C3_%_?curid=&title=%F0%9F&=&#?#", "//.m..m./wiki//?title"]
    {
        let cuts: Vec<usize> = (0..=whole.len()).filter(|at| whole.is_char_boundary(*at)).collect();
        for (first, from) in cuts.iter().enumerate() {
            cuts[first..].iter().for_each(|to| drop(Meaning::of(&whole[*from..*to])));
        }
    }
}
