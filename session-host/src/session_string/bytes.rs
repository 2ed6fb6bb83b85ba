//! Reading from the front of bytes that may end at any place.

/// What is left to read.
pub(super) struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// What is left.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.0
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn array<const LEN: usize>(&mut self) -> Option<[u8; LEN]> {
        self.take(LEN)?.try_into().ok()
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    /// A byte that is 0 or 1.
    pub(super) fn flag(&mut self) -> Option<bool> {
        match self.byte()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    /// TL's `int`.
    pub(super) fn int(&mut self) -> Option<i32> {
        self.array().map(i32::from_le_bytes)
    }

    /// TL's `bytes`: the length in one byte or in three after 254, padded to whole words.
    pub(super) fn tl_bytes(&mut self) -> Option<&'a [u8]> {
        let (len, head) = match self.byte()? {
            254 => {
                let [low, middle, high] = self.array()?;
                (usize::try_from(u32::from_le_bytes([low, middle, high, 0])).ok()?, 4)
            }
            255 => return None,
            len => (usize::from(len), 1),
        };
        let taken = self.take(len)?;
        self.take((head + len).next_multiple_of(4) - head - len)?;
        Some(taken)
    }
}
