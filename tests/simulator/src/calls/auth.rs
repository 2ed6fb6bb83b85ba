//! Login calls in TL: codes, passwords, QR tokens, authorisations of other data centres, logging out.

use super::{Answer, Caller};
use crate::arithmetic::{GENERATOR, pad_256, prime};
use crate::world::login::{CodeWay, LoginToken, PasswordChallenge, PasswordProof, SentCode};
use crate::world::{About, AuthKeyId, Rpc, RpcError, UserId, World};
use grammers_tl_types::{Deserializable, Identifiable, RemoteCall, Serializable, enums, functions, types};

type Encoded = Rpc<Vec<u8>>;

/// After so long clients offer another way to get a code.
const RESEND_SECS: i32 = 60;

/// Answers `auth.*` and the account calls of logging in; `None` if `id` is another call. `body` is what follows the
/// constructor. A key whose session was ended hears so, whatever it calls but for a new login.
pub fn handle(world: &mut World, caller: &Caller, id: u32, body: &[u8]) -> Option<Answer> {
    let account = world.login.user_or_awaited(caller.auth_key);
    let early = phone_of(id, body).and_then(|phone| world.login.codes.wait_left(&phone, world.now()));
    let scripted = scripted(world, account, id);
    let encoded = scripted.map(Err).or_else(|| login(world, caller, id, body)).or_else(|| {
        let ended = world.login.ended(caller.auth_key)?;
        (!is_public(id)).then(|| Err(ended.clone()))
    })?;
    let about = About::of(grammers_tl_types::name_for_id(id));
    let audit = world.open_audit(account, caller.auth_key, caller.session, about);
    world.audit_outcome(audit, &encoded);
    world.audit_wait(audit, early);
    Some(Answer { audit: Some(audit), ..Answer::plain(encoded) })
}

/// The number that a code is asked for.
fn phone_of(id: u32, body: &[u8]) -> Option<String> {
    match id {
        functions::auth::SendCode::CONSTRUCTOR_ID => {
            functions::auth::SendCode::from_bytes(body).ok().map(|call| call.phone_number)
        }
        functions::auth::ResendCode::CONSTRUCTOR_ID => {
            functions::auth::ResendCode::from_bytes(body).ok().map(|call| call.phone_number)
        }
        _ => None,
    }
}

/// What a script answers to a call of logging in, but for codes: those have waits of their own.
fn scripted(world: &mut World, account: Option<UserId>, id: u32) -> Option<RpcError> {
    let scriptable = [
        functions::auth::SignIn::CONSTRUCTOR_ID,
        functions::auth::CheckPassword::CONSTRUCTOR_ID,
        functions::account::GetPassword::CONSTRUCTOR_ID,
        functions::auth::ExportLoginToken::CONSTRUCTOR_ID,
        functions::auth::ImportLoginToken::CONSTRUCTOR_ID,
        functions::auth::CancelCode::CONSTRUCTOR_ID,
        functions::auth::LogOut::CONSTRUCTOR_ID,
    ];
    let name = grammers_tl_types::name_for_id(id);
    scriptable.contains(&id).then(|| world.floods.scripted_login(account, name)).flatten()
}

fn is_public(id: u32) -> bool {
    matches!(id, functions::help::GetConfig::CONSTRUCTOR_ID | functions::help::GetNearestDc::CONSTRUCTOR_ID)
}

fn login(world: &mut World, caller: &Caller, id: u32, body: &[u8]) -> Option<Encoded> {
    let encoded = match id {
        functions::auth::SendCode::CONSTRUCTOR_ID => with(body, |call| send_code(world, caller, &call)),
        functions::auth::ResendCode::CONSTRUCTOR_ID => with(body, |call: functions::auth::ResendCode| {
            Ok(sent_code(world.resend_code(caller.dc, &call.phone_number, &call.phone_code_hash)?))
        }),
        functions::auth::CancelCode::CONSTRUCTOR_ID => with(body, |call: functions::auth::CancelCode| {
            world.cancel_code(&call.phone_number, &call.phone_code_hash)?;
            Ok(true)
        }),
        functions::auth::SignIn::CONSTRUCTOR_ID => with(body, |call: functions::auth::SignIn| {
            let code = call.phone_code.unwrap_or_default();
            let signed_in = world.sign_in(caller.auth_key, &call.phone_number, &call.phone_code_hash, &code)?;
            authorization(world, caller, signed_in.user()?)
        }),
        functions::account::GetPassword::CONSTRUCTOR_ID => with(body, |_: functions::account::GetPassword| {
            let secure_random = world.drawn();
            Ok(password(world.password_challenge(caller.auth_key)?, secure_random))
        }),
        functions::auth::CheckPassword::CONSTRUCTOR_ID => with(body, |call| check_password(world, caller, &call)),
        functions::auth::ExportLoginToken::CONSTRUCTOR_ID => with(body, |call: functions::auth::ExportLoginToken| {
            let except: Vec<UserId> = call.except_ids.into_iter().map(UserId).collect();
            let token = world.export_login_token(caller.dc, caller.auth_key, &except)?;
            login_token(world, caller, token)
        }),
        functions::auth::ImportLoginToken::CONSTRUCTOR_ID => with(body, |call: functions::auth::ImportLoginToken| {
            let token = world.import_login_token(caller.dc, caller.auth_key, &call.token)?;
            login_token(world, caller, token)
        }),
        functions::auth::AcceptLoginToken::CONSTRUCTOR_ID => with(body, |call: functions::auth::AcceptLoginToken| {
            let user = signed_in(world, caller.auth_key)?;
            world.accept_login_token(user, &call.token)?;
            Ok(accepted(world))
        }),
        functions::auth::ExportAuthorization::CONSTRUCTOR_ID => {
            with(body, |call: functions::auth::ExportAuthorization| {
                let (user, bytes) = world.export_authorization(caller.dc, caller.auth_key, call.dc_id)?;
                let exported = types::auth::ExportedAuthorization { id: user.0, bytes: bytes.to_vec() };
                Ok(enums::auth::ExportedAuthorization::Authorization(exported))
            })
        }
        functions::auth::ImportAuthorization::CONSTRUCTOR_ID => {
            with(body, |call: functions::auth::ImportAuthorization| {
                let user = UserId(call.id);
                let signed_in = world.import_authorization(caller.dc, caller.auth_key, user, &call.bytes)?;
                authorization(world, caller, signed_in.user()?)
            })
        }
        functions::auth::LogOut::CONSTRUCTOR_ID => with(body, |_: functions::auth::LogOut| {
            // Whoever still owes the password may leave too.
            if world.login.awaited(caller.auth_key).is_none() {
                signed_in(world, caller.auth_key)?;
            }
            world.log_out(caller.auth_key);
            Ok(enums::auth::LoggedOut::Out(types::auth::LoggedOut { future_auth_token: None }))
        }),
        functions::auth::ResetAuthorizations::CONSTRUCTOR_ID => {
            with(body, |_: functions::auth::ResetAuthorizations| {
                let user = signed_in(world, caller.auth_key)?;
                world.login.revoke_others(user, Some(caller.auth_key));
                Ok(true)
            })
        }
        _ => return None,
    };
    Some(encoded)
}

/// Reads the call, answers it with what its type asks for.
fn with<C: RemoteCall + Deserializable>(body: &[u8], answer: impl FnOnce(C) -> Rpc<C::Return>) -> Encoded
where
    C::Return: Serializable,
{
    let call = C::from_bytes(body).or(Err(RpcError::bad("INPUT_REQUEST_INVALID")))?;
    answer(call).map(|answer| answer.to_bytes())
}

fn signed_in(world: &World, key: AuthKeyId) -> Rpc<UserId> {
    world.login.user(key).ok_or_else(|| world.login.ended(key).cloned().unwrap_or_else(RpcError::unregistered))
}

fn send_code(world: &mut World, caller: &Caller, call: &functions::auth::SendCode) -> Rpc<enums::auth::SentCode> {
    if call.api_id <= 0 || call.api_hash.is_empty() {
        return Err(RpcError::bad("API_ID_INVALID"));
    }
    Ok(sent_code(world.send_code(caller.dc, &call.phone_number)?))
}

fn sent_code(sent: SentCode) -> enums::auth::SentCode {
    let length = i32::try_from(sent.code.len()).unwrap_or_default();
    let r#type = match sent.way {
        CodeWay::App => types::auth::SentCodeTypeApp { length }.into(),
        CodeWay::Sms => types::auth::SentCodeTypeSms { length }.into(),
        CodeWay::Call => types::auth::SentCodeTypeCall { length }.into(),
    };
    let next_type = sent.way.next().map(|way| match way {
        CodeWay::App | CodeWay::Sms => enums::auth::CodeType::Sms,
        CodeWay::Call => enums::auth::CodeType::Call,
    });
    let timeout = next_type.is_some().then_some(RESEND_SECS);
    enums::auth::SentCode::Code(types::auth::SentCode { r#type, phone_code_hash: sent.hash, next_type, timeout })
}

fn password(challenge: PasswordChallenge, secure_random: [u8; 256]) -> enums::account::Password {
    let PasswordChallenge { salt1, salt2, hint, open } = challenge;
    let algo = enums::PasswordKdfAlgo::Sha256Sha256Pbkdf2Hmacsha512iter100000Sha256ModPow(
        types::PasswordKdfAlgoSha256Sha256Pbkdf2Hmacsha512iter100000Sha256ModPow {
            salt1,
            salt2,
            g: i32::from(GENERATOR),
            p: pad_256(&prime()).to_vec(),
        },
    );
    enums::account::Password::Password(types::account::Password {
        has_recovery: false,
        has_secure_values: false,
        has_password: open.is_some(),
        current_algo: open.is_some().then(|| algo.clone()),
        srp_b: open.map(|(_, b)| b.to_vec()),
        srp_id: open.map(|(id, _)| id),
        hint,
        email_unconfirmed_pattern: None,
        new_algo: algo,
        new_secure_algo: enums::SecurePasswordKdfAlgo::Sha512(types::SecurePasswordKdfAlgoSha512 {
            salt: secure_random[..8].to_vec(),
        }),
        secure_random: secure_random.to_vec(),
        pending_reset_date: None,
        login_email_pattern: None,
    })
}

fn check_password(
    world: &mut World,
    caller: &Caller,
    call: &functions::auth::CheckPassword,
) -> Rpc<enums::auth::Authorization> {
    let enums::InputCheckPasswordSrp::Srp(srp) = &call.password else {
        return Err(RpcError::bad("PASSWORD_HASH_INVALID"));
    };
    let proof = PasswordProof { id: srp.srp_id, a: srp.a.clone(), m1: srp.m1.clone() };
    let user = world.check_password(caller.auth_key, &proof)?;
    authorization(world, caller, user)
}

fn login_token(world: &World, caller: &Caller, token: LoginToken) -> Rpc<enums::auth::LoginToken> {
    Ok(match token {
        LoginToken::Show { token, expires_at } => {
            let (expires, token) = (expires_at.unix_secs(), token.to_vec());
            enums::auth::LoginToken::Token(types::auth::LoginToken { expires, token })
        }
        LoginToken::MigrateTo { dc, token } => {
            let token = token.to_vec();
            enums::auth::LoginToken::MigrateTo(types::auth::LoginTokenMigrateTo { dc_id: dc, token })
        }
        LoginToken::SignedIn(user) => enums::auth::LoginToken::Success(types::auth::LoginTokenSuccess {
            authorization: authorization(world, caller, user)?,
        }),
    })
}

/// The session that an accepted token opens, as its owner's list of sessions would show it.
fn accepted(world: &World) -> enums::Authorization {
    let now = world.now().unix_secs();
    enums::Authorization::Authorization(types::Authorization {
        current: false,
        official_app: false,
        password_pending: false,
        encrypted_requests_disabled: false,
        call_requests_disabled: false,
        unconfirmed: false,
        hash: 1,
        device_model: String::new(),
        platform: String::new(),
        system_version: String::new(),
        api_id: 0,
        app_name: String::new(),
        app_version: String::new(),
        date_created: now,
        date_active: now,
        ip: "127.0.0.1".to_owned(),
        country: String::new(),
        region: String::new(),
    })
}

fn authorization(world: &World, _caller: &Caller, user: UserId) -> Rpc<enums::auth::Authorization> {
    let user = super::views::user(world, user, user).ok_or_else(RpcError::unregistered)?;
    Ok(enums::auth::Authorization::Authorization(types::auth::Authorization {
        setup_password_required: false,
        otherwise_relogin_days: None,
        tmp_sessions: None,
        future_auth_token: None,
        user,
    }))
}
