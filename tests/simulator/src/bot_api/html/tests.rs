use super::*;
use proptest::prelude::*;

fn entity(offset: i32, length: i32, kind: EntityKind) -> Entity {
    Entity { offset, length, kind }
}

#[test]
fn good_html_gives_text_and_entities() {
    let url = |url: &str| EntityKind::TextUrl { url: url.into() };
    let pre = |language: &str| EntityKind::Pre { language: language.into() };
    let cases: [(&str, &str, Vec<Entity>); 10] = [
        ("plain", "plain", vec![]),
        ("&lt;&#38;&#x1F600;&nbsp;&", "<&😀&nbsp;&", vec![]),
        ("⛴😀<b>bold</b>", "⛴😀bold", vec![entity(3, 4, EntityKind::Bold)]),
        ("<b>a<i>b</i></b>", "ab", vec![entity(0, 2, EntityKind::Bold), entity(1, 1, EntityKind::Italic)]),
        ("<B >x</>", "x", vec![entity(0, 1, EntityKind::Bold)]),
        ("<a href='https://a.example/?x=1&amp;y'>z</a>", "z", vec![entity(0, 1, url("https://a.example/?x=1&y"))]),
        ("<a>no link</a><b></b>", "no link", vec![]),
        ("<pre><code class=\"language-rust\">x</code></pre>", "x", vec![entity(0, 1, pre("rust"))]),
        ("<span class=\"tg-spoiler\">s</span>", "s", vec![entity(0, 1, EntityKind::Spoiler)]),
        ("<blockquote expandable>q</blockquote>", "q", vec![entity(0, 1, EntityKind::Blockquote)]),
    ];
    for (html, text, entities) in cases {
        assert_eq!(parse(html), Ok((text.to_owned(), entities)), "{html}");
    }
}

#[test]
fn bad_html_is_refused_in_telegrams_words() {
    let cases = [
        ("🏟 🏟&lt;<abac>", "Unsupported start tag \"abac\" at byte offset 13"),
        ("a < b", "Unsupported start tag \"\" at byte offset 2"),
        ("a <b", "Unclosed start tag at byte offset 2"),
        ("🏟 🏟&lt;<i   =aba>", "Empty attribute name in the tag \"i\" at byte offset 13"),
        ("🏟 🏟&lt;<i    aba>", "Can't find end tag corresponding to start tag \"i\""),
        ("🏟 🏟&lt;<i    aba  =  ", "Unclosed start tag \"i\" at byte offset 13"),
        ("🏟 🏟&lt;<i    aba  =  190azAz-.,", "Unexpected end of name token at byte offset 27"),
        ("🏟 🏟&lt;<i    aba  =  \"&lt;&gt;&quot;>", "Unclosed start tag at byte offset 13"),
        ("🏟 🏟&lt;</", "Unexpected end tag at byte offset 13"),
        ("🏟 🏟&lt;<b></b></", "Unexpected end tag at byte offset 20"),
        ("🏟 🏟&lt;<i>a</i   ", "Unclosed end tag at byte offset 17"),
        ("🏟 🏟&lt;<i>a</em   >", "Unmatched end tag at byte offset 17, expected \"</i>\", found \"</em>\""),
        ("<span>x</span>", "Tag \"span\" must have class \"tg-spoiler\" at byte offset 0"),
    ];
    for (html, error) in cases {
        assert_eq!(parse(html), Err(error.to_owned()), "{html}");
    }
}

#[test]
fn white_space_at_the_ends_goes_with_its_entities() {
    let (text, entities) = parse("\n <b> x </b>  ").unwrap();
    assert_eq!(trimmed(&text, entities), ("x".to_owned(), vec![entity(0, 1, EntityKind::Bold)]));
    let (text, entities) = parse("<i> </i>x").unwrap();
    assert_eq!(trimmed(&text, entities), ("x".to_owned(), vec![]));
}

proptest! {
    #[test]
    fn what_is_rendered_reads_back_the_same(html in "[a<>/b i&;l⛴😀=\"']{0,40}") {
        if let Ok((text, entities)) = parse(&html) {
            let again = parse(&render(&text, &entities)).unwrap();
            prop_assert_eq!(again, (text, entities));
        }
    }
}
