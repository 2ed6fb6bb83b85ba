//! The proof that a two-step password is known (SRP, <https://core.telegram.org/api/srp>): the password does not leave this machine.

use grammers_crypto::two_factor_auth::calculate_2fa;
use grammers_tl_types::{enums, types};
use num_bigint::BigUint;
use secrecy::{ExposeSecret, SecretString};

use super::LoginError;
use crate::exchange::dh::Group;

/// The proof. Takes some tenths of a second, so it is made beside the runtime.
pub(super) async fn prove(
    challenge: types::account::Password,
    password: SecretString,
) -> Result<enums::InputCheckPasswordSrp, LoginError> {
    use enums::PasswordKdfAlgo::Sha256Sha256Pbkdf2Hmacsha512iter100000Sha256ModPow as Known;
    const UNKNOWN: LoginError = LoginError::Unsupported("a newer way of proving the password");
    let (Some(Known(algo)), Some(srp_b), Some(srp_id)) = (challenge.current_algo, challenge.srp_b, challenge.srp_id)
    else {
        return Err(UNKNOWN);
    };
    // With a weak group the proof would give the password away.
    let group = Group::checked(&algo.p, algo.g).map_err(LoginError::Exchange)?;
    group.check_range(&BigUint::from_bytes_be(&srp_b), "srp_B").map_err(LoginError::Exchange)?;
    let mut a = vec![0; 256];
    getrandom::fill(&mut a).expect("the system has randomness");
    let proof = tokio::task::spawn_blocking(move || {
        calculate_2fa(&algo.salt1, &algo.salt2, &algo.p, &algo.g, srp_b, a, password.expose_secret())
    });
    let (m1, g_a) = proof.await.map_err(|_panicked| UNKNOWN)?;
    Ok(types::InputCheckPasswordSrp { srp_id, a: g_a.to_vec(), m1: m1.to_vec() }.into())
}
