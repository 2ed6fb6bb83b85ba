//! Which account somebody means: by its id, by what it is called, or by the end of its phone number.

use transfer::account::Member;

use crate::command::desk::Desk;
use crate::failure::Failure;

/// Finds the one account that is meant.
///
/// # Errors
/// None is, or several are.
pub(in crate::command) async fn find(desk: &Desk, name: &str) -> Result<Member, Failure> {
    one(&desk.members().await?, name)
}

fn one(members: &[Member], name: &str) -> Result<Member, Failure> {
    let name = name.trim();
    let nobody = || Failure::Input(format!("there is no account {name:?} in the pool: see ferry account list"));
    let ways: [&dyn Fn(&Member) -> bool; 4] = [
        &|member| member.account.id.0 == name,
        &|member| member.profile.label == name,
        &|member| member.profile.label.to_lowercase() == name.to_lowercase(),
        &|member| ends_with(&member.account.phone_masked, name),
    ];
    let found = ways.iter().find_map(|way| {
        let found: Vec<&Member> = members.iter().filter(|member| way(member)).collect();
        (!found.is_empty()).then_some(found)
    });
    match found.ok_or_else(nobody)?.as_slice() {
        [member] => Ok(Member::clone(member)),
        several => {
            let ids: Vec<String> = several
                .iter()
                .map(|member| {
                    format!("{} ({}, {})", member.account.id, member.profile.label, member.account.phone_masked)
                })
                .collect();
            Err(Failure::Input(format!("several accounts are meant by {name:?}; use an id: {}", ids.join(", "))))
        }
    }
}

/// Whether these are the last digits of a phone number of which the last two are known.
fn ends_with(phone_masked: &str, name: &str) -> bool {
    let digits = name.trim_start_matches('+');
    let known = phone_masked.rsplit('…').next().unwrap_or_default();
    digits.len() >= 2 && known.len() >= 2 && digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.ends_with(known)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use transfer::account::{Account, Profile};

    use super::*;

    fn member(id: &str, label: &str, phone: &str) -> Member {
        let account = Account::new(id.into(), phone.to_owned(), Timestamp::UNIX_EPOCH, jiff::civil::date(1970, 1, 1));
        let profile = Profile {
            id: id.into(),
            label: label.to_owned(),
            priority: 0,
            group: None,
            enabled: true,
            daily_budget: None,
            leaving: None,
        };
        Member { account, profile }
    }

    #[test]
    fn the_one_that_is_meant_is_found_and_several_are_listed() {
        let pool = [member("70", "Ada", "+44…21"), member("71", "Ben", "+44…21"), member("72", "70", "+1…09")];
        let found = |name: &str| one(&pool, name).map(|member| member.account.id.0);
        assert_eq!(found("70").unwrap(), "70", "an id goes before a label");
        assert_eq!(found("ben").unwrap(), "71");
        assert_eq!(found("09").unwrap(), "72");
        assert_eq!(found("+4477009").unwrap(), "72");
        let several = found("21").unwrap_err();
        assert!(several.line().contains("70 (Ada, +44…21), 71 (Ben, +44…21)"), "{several:?}");
        for nobody in ["", "9", "Cleo", "22"] {
            assert!(found(nobody).unwrap_err().line().contains("no account"), "{nobody}");
        }
    }
}
