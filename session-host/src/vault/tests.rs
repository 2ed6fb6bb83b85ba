use transfer::ids::AccountId;

use super::*;

fn here() -> Key {
    Key::session(&AccountId::from("1"))
}

fn made() -> (tempfile::TempDir, Vault) {
    let dir = tempfile::tempdir().unwrap();
    let vault = Vault::create(dir.path().join("keys").join("ring.json")).unwrap();
    (dir, vault)
}

fn sealed(vault: &Vault) -> Sealed {
    vault.current().unwrap().seal(b"planted", SecretKind::Session, &here()).unwrap()
}

fn opened(vault: &Vault, sealed: &Sealed) -> Result<Vec<u8>, VaultError> {
    vault.open(sealed, SecretKind::Session, &here()).map(|bytes| bytes.to_vec())
}

#[test]
fn what_was_sealed_opens_where_it_belongs_and_nowhere_else() {
    let (_dir, vault) = made();
    let mut sealed = sealed(&vault);
    assert_eq!(opened(&vault, &sealed).unwrap(), b"planted");
    let there = Key::session(&AccountId::from("2"));
    assert!(matches!(vault.open(&sealed, SecretKind::Session, &there), Err(VaultError::Damaged(_))));
    assert!(matches!(vault.open(&sealed, SecretKind::Password, &here()), Err(VaultError::Damaged(_))));
    for broken in ["", "AAAA", "?"] {
        sealed.ciphertext = broken.to_owned();
        assert!(matches!(opened(&vault, &sealed), Err(VaultError::Damaged(_))), "{broken:?}");
    }
}

#[test]
fn a_new_key_seals_and_the_old_ones_open_until_they_are_retired() {
    let (_dir, vault) = made();
    let old = sealed(&vault);
    let first = vault.current().unwrap();
    let beside = Vault::at(vault.path());
    assert_eq!(opened(&beside, &old).unwrap(), b"planted");
    let second = vault.add_key().unwrap();
    assert_ne!(first.id(), second.id());
    assert_eq!(vault.keys().unwrap(), [first.id().clone(), second.id().clone()]);
    let new = sealed(&vault);
    assert_eq!(new.key_id, *second.id());
    assert_eq!(opened(&beside, &new).unwrap(), b"planted", "a process that runs meanwhile learns of the new key");
    assert_eq!(opened(&vault, &old).unwrap(), b"planted");
    assert!(matches!(vault.retire(second.id()), Err(VaultError::Current(_))));
    vault.retire(first.id()).unwrap();
    vault.retire(first.id()).unwrap();
    let refused = opened(&vault, &old).unwrap_err();
    assert!(matches!(&refused, VaultError::WrongKey { id, .. } if id == first.id()), "{refused}");
    assert!(refused.to_string().contains(&first.id().0) && refused.to_string().contains("ring.json"), "{refused}");
    assert_eq!(opened(&vault, &new).unwrap(), b"planted");
}

#[test]
fn a_ring_that_others_may_read_is_refused_and_none_is_replaced() {
    let (_dir, vault) = made();
    let path = vault.path();
    assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
    assert!(matches!(Vault::create(path), Err(VaultError::Exists(_))));
    fs::set_permissions(path, Permissions::from_mode(0o640)).unwrap();
    let error = Vault::at(path).current().unwrap_err();
    assert!(
        matches!(error, VaultError::Open { mode: 0o640, .. }) && error.to_string().contains("chmod 600"),
        "{error}"
    );
    fs::remove_file(path).unwrap();
    assert!(matches!(Vault::at(path).current(), Err(VaultError::Missing(_))));
}

#[test]
fn a_damaged_ring_is_refused_without_quoting_a_key() {
    let (_dir, vault) = made();
    let good = fs::read_to_string(vault.path()).unwrap();
    let ring: Ring = serde_json::from_str(&good).unwrap();
    let secret = ring.keys[0].private_key.to_string();
    let damages = [
        good[..good.len() / 2].to_owned(),
        good.replace("\"schema\": 1", "\"schema\": 9"),
        good.replace(&format!("\"current\": \"{}\"", ring.current.0), "\"current\": \"other\""),
        good.replace(&secret, &STANDARD.encode([7; 32])),
        good.replace(&secret, "short"),
        good.replace(&format!("\"{secret}\""), &format!("[\"{secret}\"]")),
    ];
    for damaged in damages {
        assert_ne!(damaged, good);
        fs::write(vault.path(), damaged).unwrap();
        let error = Vault::at(vault.path()).current().unwrap_err();
        assert!(matches!(error, VaultError::BadRing { .. }), "{error}");
        assert!(!error.to_string().contains(&secret[..8]), "{error}");
    }
}

#[test]
fn keys_stay_out_of_debug() {
    let (_dir, vault) = made();
    vault.current().unwrap();
    let secret = vault.known().as_ref().unwrap().keys[0].private_key.to_string();
    assert!(!format!("{vault:?}").contains(&secret[..8]));
}
