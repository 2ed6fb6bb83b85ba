//! Login codes: sent, tried, expired - and burnt when they are written in a chat.
//!
//! Source: <https://core.telegram.org/api/auth>.

use super::SignedIn;
use crate::time::SimTime;
use crate::world::{AuthKeyId, Rpc, RpcError, UserId, World};
use rand::Rng;
use serde::Serialize;

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
}

/// One code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SentCode {
    pub phone: String,
    pub user: UserId,
    pub hash: String,
    pub code: String,
    #[serde(skip)]
    pub sent_at: SimTime,
    pub wrong: u32,
    pub state: CodeState,
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
    /// `PHONE_NUMBER_INVALID`, `PHONE_NUMBER_BANNED`, `PHONE_MIGRATE_X`, `FLOOD_WAIT_X`.
    pub fn send_code(&mut self, dc: i32, phone: &str) -> Rpc<SentCode> {
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
        let since = now.plus_millis(-SENT_WINDOW_MILLIS);
        let recent = self.login.codes.sent.iter().filter(|sent| sent.phone == phone && sent.sent_at > since);
        let recent: Vec<SimTime> = recent.map(|sent| sent.sent_at).collect();
        if let Some(first) = recent.first().filter(|_| recent.len() >= SENT_MAX) {
            return Err(RpcError::flood_wait((first.since(since) + 999) / 1000));
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
        let sent = SentCode { phone, user, hash, code, sent_at: now, wrong: 0, state };
        self.login.codes.sent.push(sent.clone());
        Ok(sent)
    }

    /// `auth.resendCode`: another code, another hash.
    ///
    /// # Errors
    /// `PHONE_CODE_EXPIRED` if there is none to replace, else as [`World::send_code`].
    pub fn resend_code(&mut self, dc: i32, phone: &str, hash: &str) -> Rpc<SentCode> {
        self.login.codes.find(phone, hash)?.state = CodeState::Cancelled;
        self.send_code(dc, phone)
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
