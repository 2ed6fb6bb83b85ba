//! The RSA keys by which a server is known to be Telegram (or the server somebody runs for tests).

use num_bigint::BigUint;
use sha1::{Digest, Sha1};

/// Telegram's production and test keys: decimal modulus. They are published in every client; the exponent is 65537.
const TELEGRAM: [&str; 2] = [
    "29379598170669337022986177149456128565388431120058863768162556424047512191330847455146576344487764408661701890505066\
208632169112269581063774293102577308490531282748465986139880977280302242772832972539403531316010870401287642763009136156\
734339538042419388722777357134487746169093539093850251243897188928735903389451772730245253062963384108812842079887538976\
360465290946139638691491496062099570836476454855996319192747663615955633778034897140982517446405334423701359108810182097\
749467210509584293428076654573384828809574217079944388301239431309115013843331317877374435868468779972014486325557807783\
825502498215169806323",
    "25342889448840415564971689590713473206898847759084779052582026594546022463853940585885215951168491965708222649399180\
603818074200620463776135424884632162512403163793083921641631564740959529419359595852941166848940585952337613333022396096\
584117954892216031229237302943701877588456738335398602461675225081791820393153757504952636234951323237820036543581047826\
906120927972487366805292115792231423684261262330394324750785450942589751755390156647751460719351439969059949569615302809\
050721500330239005077889855323917509948255722081644689442127297605422579707142646660768825302832201908302295573257427896\
031830742328565032949",
];

/// One public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RsaPublicKey {
    modulus: String,
    exponent: String,
    fingerprint: i64,
}

/// All keys that are accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RsaKeys(Vec<RsaPublicKey>);

/// Text that is no RSA key of 2048 bits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an RSA key is a decimal modulus of 2048 bits and a decimal exponent")]
pub struct BadRsaKey;

impl RsaPublicKey {
    /// From decimal text.
    ///
    /// # Errors
    /// The text is no number, or the modulus has not 2048 bits.
    pub fn new(modulus: &str, exponent: &str) -> Result<Self, BadRsaKey> {
        let number = |text: &str| BigUint::parse_bytes(text.as_bytes(), 10).ok_or(BadRsaKey);
        let (n, e) = (number(modulus)?, number(exponent)?);
        if n.bits() != 2048 || e.bits() < 2 {
            return Err(BadRsaKey);
        }
        let fingerprint = fingerprint(&n, &e);
        Ok(Self { modulus: modulus.to_owned(), exponent: exponent.to_owned(), fingerprint })
    }

    /// The low 64 bits of the key's hash: how a server names it.
    pub fn fingerprint(&self) -> i64 {
        self.fingerprint
    }

    /// RSA_PAD of at most 144 bytes.
    pub(crate) fn seal(&self, data: &[u8], random: &[u8; 224]) -> Option<Vec<u8>> {
        let key = grammers_crypto::rsa::Key::new(&self.modulus, &self.exponent)?;
        Some(grammers_crypto::rsa::encrypt_hashed(data, &key, random))
    }
}

/// SHA-1 over both numbers as TL `bytes`.
fn fingerprint(n: &BigUint, e: &BigUint) -> i64 {
    use grammers_tl_types::Serializable;
    let mut bytes = n.to_bytes_be().to_bytes();
    e.to_bytes_be().serialize(&mut bytes);
    let digest = Sha1::digest(&bytes);
    i64::from_le_bytes(*digest.last_chunk().expect("a SHA-1 digest has 20 bytes"))
}

impl RsaKeys {
    /// These and no others.
    pub fn new(keys: Vec<RsaPublicKey>) -> Self {
        Self(keys)
    }

    /// Telegram's own.
    pub fn telegram() -> Self {
        let key = |modulus| RsaPublicKey::new(modulus, "65537").expect("the published keys are well-formed");
        Self(TELEGRAM.into_iter().map(key).collect())
    }

    /// The first key that the server has too.
    pub(crate) fn known(&self, fingerprints: &[i64]) -> Option<&RsaPublicKey> {
        fingerprints.iter().find_map(|offered| self.0.iter().find(|key| key.fingerprint == *offered))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn telegrams_keys_have_their_published_fingerprints() {
        let fingerprints: Vec<i64> = RsaKeys::telegram().0.iter().map(RsaPublicKey::fingerprint).collect();
        assert_eq!(fingerprints, [-3_414_540_481_677_951_611, -5_595_554_452_916_591_101]);
    }

    #[test]
    fn a_key_is_found_by_the_servers_list_and_rubbish_is_refused() {
        let keys = RsaKeys::telegram();
        assert!(keys.known(&[1, -5_595_554_452_916_591_101]).is_some());
        assert_eq!(keys.known(&[1, 2]), None);
        assert_eq!(RsaPublicKey::new("12", "65537"), Err(BadRsaKey));
        assert_eq!(RsaPublicKey::new("twelve", "65537"), Err(BadRsaKey));
    }
}
