use std::collections::{BTreeMap, BTreeSet};

use super::*;

/// Each text's name, and the variables that stand in it.
fn texts(language: Language) -> BTreeMap<String, BTreeSet<String>> {
    let mut found = BTreeMap::new();
    for (file, source) in resources::of(language) {
        let resource = FluentResource::try_new((*source).to_owned());
        assert!(resource.is_ok(), "{language}/{file}.ftl: {:?}", resource.err().map(|(_, errors)| errors));
        let mut name = String::new();
        for line in source.lines() {
            if let Some((head, _)) = line.split_once('=')
                && line.starts_with(|first: char| first.is_ascii_lowercase())
            {
                head.trim().clone_into(&mut name);
                assert!(found.insert(name.clone(), BTreeSet::new()).is_none(), "{name} stands twice in {language}");
            }
            for part in line.split('$').skip(1) {
                let end =
                    part.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-')).unwrap_or(part.len());
                found.entry(name.clone()).or_default().insert(part[..end].to_owned());
            }
        }
    }
    found
}

#[test]
fn both_languages_say_the_same_things_about_the_same_variables() {
    let (en, zh) = (texts(Language::En), texts(Language::Zh));
    assert!(!en.is_empty());
    let missing: Vec<_> = en.keys().filter(|name| !zh.contains_key(*name)).collect();
    assert!(missing.is_empty(), "not in zh: {missing:?}");
    for (name, variables) in &zh {
        assert_eq!(en.get(name), Some(variables), "{name}");
    }
}

#[test]
fn what_people_wrote_is_escaped_and_markup_is_not() {
    assert_eq!(escaped("<b>&\""), "&lt;b&gt;&amp;&quot;");
    let said = say(Language::En, "duration-second", &[("count", 1_u64.into())]);
    assert_eq!(said, "1 s");
}

#[test]
fn times_and_lengths_are_told_in_the_readers_way() {
    let locale = |language| Locale { language, zone: TimeZone::fixed(jiff::tz::offset(8)) };
    let at = "2026-01-02T20:03:04Z".parse().unwrap();
    assert_eq!(locale(Language::En).time(at), "2026-01-03 04:03");
    assert_eq!(locale(Language::En).duration(3_723), "1 h 2 min");
    assert_eq!(locale(Language::En).duration(0), "0 s");
    assert_eq!(locale(Language::Zh).duration(90_061), "1 天 1 小时");
}

#[test]
fn numbers_are_grouped_by_three() {
    assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
}

#[test]
fn a_language_is_found_for_every_tag() {
    assert_eq!(
        ["zh-hans", "ZH", "en-GB", "de", ""].map(Language::of_tag).map(Language::tag),
        ["zh", "zh", "en", "en", "en"]
    );
    assert_eq!("zh".parse(), Ok(Language::Zh));
    assert!("fr".parse::<Language>().is_err());
}
