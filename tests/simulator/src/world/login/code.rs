//! Login codes: sent, tried, expired - and burnt when they are written in a chat.
//!
//! Source: <https://core.telegram.org/api/auth>.

use super::SignedIn;
use crate::time::SimTime;
use crate::world::floods::wait_secs;
use crate::world::{AuthKeyId, Rpc, RpcError, UserId, World};
use rand::Rng;
use serde::Serialize;
use std::collections::HashMap;

/// A code works for so long.
const CODE_MILLIS: i64 = 5 * 60 * 1000;
/// After so many wrong ones a new one has to be asked for.
const WRONG_MAX: u32 = 5;
/// So many codes are sent to one number ...
const SENT_MAX: usize = 8;
/// ... in so much time.
const SENT_WINDOW_MILLIS: i64 = 10 * 60 * 1000;

/// All codes, oldest first; used and expired ones too.
#[derive(Debug, Default)]
pub struct Codes {
    sent: Vec<SentCode>,
    /// What the next codes will be, for scripts that must know them beforehand; then drawn from the seed.
    pub scripted: std::collections::VecDeque<String>,
    /// By number: until when nobody may ask for a code, and how long that wait is in full.
    waits: HashMap<String, (SimTime, i64)>,
}

/// One code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SentCode {
    pub phone: String,
    pub user: UserId,
    pub hash: String,
    pub code: String,
    pub way: CodeWay,
    #[serde(skip)]
    pub sent_at: SimTime,
    pub wrong: u32,
    pub state: CodeState,
}

/// How a code reaches its owner; asking again takes the next way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CodeWay {
    /// In the Telegram app of another device.
    App,
    Sms,
    /// A voice says it.
    Call,
}

impl CodeWay {
    /// The way of the next one.
    #[must_use]
    pub fn next(self) -> Option<CodeWay> {
        match self {
            CodeWay::App => Some(CodeWay::Sms),
            CodeWay::Sms => Some(CodeWay::Call),
            CodeWay::Call => None,
        }
    }
}

/// What a code is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CodeState {
    Live,
    Used,
    Cancelled,
    /// It was seen in a chat, or guessed at too often.
    Burnt,
}

impl Codes {
    /// Every code ever sent, oldest first.
    #[must_use]
    pub fn all(&self) -> &[SentCode] {
        &self.sent
    }

    /// The newest code of a number.
    #[must_use]
    pub fn newest(&self, phone: &str) -> Option<&SentCode> {
        let phone = normal(phone);
        self.sent.iter().rev().find(|sent| sent.phone == phone)
    }

    /// Milliseconds for which nobody may ask for a code to this number.
    #[must_use]
    pub fn wait_left(&self, phone: &str, now: SimTime) -> Option<i64> {
        let (until, _) = self.waits.get(&normal(phone))?;
        Some(until.since(now)).filter(|left| *left > 0)
    }

    /// Asked for during a wait: refused, and the whole wait begins anew.
    fn early(&mut self, phone: &str, now: SimTime) -> Rpc<()> {
        let Some((until, secs)) = self.waits.get_mut(phone).filter(|(until, _)| *until > now) else { return Ok(()) };
        *until = now.plus_millis(secs.saturating_mul(1000));
        Err(RpcError::flood_wait(*secs))
    }

    /// The wait that this error asks for begins.
    fn told_to_wait(&mut self, phone: &str, now: SimTime, error: RpcError) -> RpcError {
        if let Some(secs) = wait_secs(&error.message) {
            self.waits.insert(phone.to_owned(), (now.plus_millis(secs.saturating_mul(1000)), secs));
        }
        error
    }

    pub(super) fn text_sent(&mut self, text: &str) {
        for sent in &mut self.sent {
            if sent.state == CodeState::Live && text.contains(&sent.code) {
                sent.state = CodeState::Burnt;
            }
        }
    }

    fn find(&mut self, phone: &str, hash: &str) -> Rpc<&mut SentCode> {
        if hash.is_empty() {
            return Err(RpcError::bad("PHONE_CODE_HASH_EMPTY"));
        }
        let phone = normal(phone);
        let sent = self.sent.iter_mut().find(|sent| sent.hash == hash && sent.phone == phone);
        sent.ok_or_else(|| RpcError::bad("PHONE_CODE_EXPIRED"))
    }
}

/// A number as users write it, as the world knows it: `+` and digits.
fn normal(phone: &str) -> String {
    std::iter::once('+').chain(phone.chars().filter(char::is_ascii_digit)).collect()
}

impl World {
    /// `auth.sendCode`, asked of data centre `dc`.
    ///
    /// # Errors
    /// `PHONE_NUMBER_INVALID`, `PHONE_NUMBER_BANNED`, `PHONE_MIGRATE_X`, `FLOOD_WAIT_X`, and what a script answers.
    pub fn send_code(&mut self, dc: i32, phone: &str) -> Rpc<SentCode> {
        self.send_code_by(dc, phone, CodeWay::App, "auth.sendCode")
    }

    fn send_code_by(&mut self, dc: i32, phone: &str, way: CodeWay, method: &str) -> Rpc<SentCode> {
        let user = self.user_by_phone(phone).map(|user| user.id);
        let (phone, account) = (normal(phone), user.and_then(|user| self.account(user)));
        let account = account.ok_or_else(|| RpcError::bad("PHONE_NUMBER_INVALID"))?;
        if account.banned {
            return Err(RpcError::bad("PHONE_NUMBER_BANNED"));
        }
        if account.home_dc != dc {
            return Err(RpcError::new(303, format!("PHONE_MIGRATE_{}", account.home_dc)));
        }
        let now = self.now();
        self.login.codes.early(&phone, now)?;
        if let Some(error) = self.floods.scripted_login(Some(account.user), method) {
            return Err(self.login.codes.told_to_wait(&phone, now, error));
        }
        let since = now.plus_millis(-SENT_WINDOW_MILLIS);
        let recent = self.login.codes.sent.iter().filter(|sent| sent.phone == phone && sent.sent_at > since);
        let recent: Vec<SimTime> = recent.map(|sent| sent.sent_at).collect();
        if let Some(first) = recent.first().filter(|_| recent.len() >= SENT_MAX) {
            let error = RpcError::flood_wait((first.since(since) + 999) / 1000);
            return Err(self.login.codes.told_to_wait(&phone, now, error));
        }
        let code = match self.login.codes.scripted.pop_front() {
            Some(code) => code,
            None => format!("{:05}", self.rng.random_range(0..100_000)),
        };
        let hash = u64::from_le_bytes(self.drawn());
        let (hash, user, state) = (format!("{hash:016x}"), account.user, CodeState::Live);
        // A new code takes the place of the one before.
        for earlier in self.login.codes.sent.iter_mut().filter(|sent| sent.phone == phone) {
            if earlier.state == CodeState::Live {
                earlier.state = CodeState::Cancelled;
            }
        }
        let sent = SentCode { phone, user, hash, code, way, sent_at: now, wrong: 0, state };
        self.login.codes.sent.push(sent.clone());
        Ok(sent)
    }

    /// `auth.resendCode`: another code by the next way, another hash.
    ///
    /// # Errors
    /// `PHONE_CODE_EXPIRED` if there is none to replace, 406 `SEND_CODE_UNAVAILABLE` after the last way, else as
    /// [`World::send_code`].
    pub fn resend_code(&mut self, dc: i32, phone: &str, hash: &str) -> Rpc<SentCode> {
        let sent = self.login.codes.find(phone, hash)?;
        if matches!(sent.state, CodeState::Used | CodeState::Cancelled) {
            return Err(RpcError::bad("PHONE_CODE_EXPIRED"));
        }
        let next = sent.way.next().ok_or_else(|| RpcError::new(406, "SEND_CODE_UNAVAILABLE"))?;
        // Refused, it leaves the earlier one as it is; sent, it takes its place.
        let resent = self.send_code_by(dc, phone, next, "auth.resendCode")?;
        self.login.codes.find(phone, hash)?.state = CodeState::Cancelled;
        Ok(resent)
    }

    /// `auth.cancelCode`.
    ///
    /// # Errors
    /// `PHONE_CODE_EXPIRED`.
    pub fn cancel_code(&mut self, phone: &str, hash: &str) -> Rpc<()> {
        self.login.codes.find(phone, hash)?.state = CodeState::Cancelled;
        Ok(())
    }

    /// `auth.signIn`.
    ///
    /// # Errors
    /// `PHONE_CODE_EMPTY`, `PHONE_CODE_EXPIRED`, `PHONE_CODE_INVALID`.
    pub fn sign_in(&mut self, key: AuthKeyId, phone: &str, hash: &str, code: &str) -> Rpc<SignedIn> {
        if code.is_empty() {
            return Err(RpcError::bad("PHONE_CODE_EMPTY"));
        }
        let now = self.now();
        let sent = self.login.codes.find(phone, hash)?;
        if sent.state != CodeState::Live || now.since(sent.sent_at) > CODE_MILLIS {
            return Err(RpcError::bad("PHONE_CODE_EXPIRED"));
        }
        if sent.code != code {
            sent.wrong += 1;
            if sent.wrong >= WRONG_MAX {
                sent.state = CodeState::Burnt;
            }
            return Err(RpcError::bad("PHONE_CODE_INVALID"));
        }
        sent.state = CodeState::Used;
        let user = sent.user;
        let account = self.account(user).ok_or_else(|| RpcError::bad("PHONE_NUMBER_UNOCCUPIED"))?;
        Ok(self.first_step(key, &account))
    }
}
