"""The ring of private keys with which hosts open what is sealed, each wrapped by the installation's KMS key.

A pair is made here once. The public half goes into the stack first, then the private half, wrapped, into the secret: from
then on the ring is never written again. Whoever dies in between leaves a public key whose private half nobody has, before
any host ran and before Telegram knew the webhook: nothing was sealed with it, and the next run replaces it."""

import base64
import hashlib
import json

CONTEXT = "ferry"


def is_ring(text):
    """Whether a secret holds a ring already; a placeholder is none."""
    try:
        ring = json.loads(text or "")
        return isinstance(ring, dict) and ring.get("schema") == 1 and bool(ring.get("keys"))
    except ValueError:
        return False


def key_id(sealing_key):
    """A key's name follows from its public half (`SealingKey::from_bytes` in transfer/src/seal.rs)."""
    public = base64.urlsafe_b64decode(sealing_key + "=" * (-len(sealing_key) % 4))
    return hashlib.sha256(public).digest()[:6].hex()


def fits(ring, sealing_key):
    """Whether the ring can open what that public key seals."""
    return key_id(sealing_key) in [key["id"] for key in json.loads(ring)["keys"]]


class Pair:
    """A new pair. The private half stays in memory until it is wrapped."""

    def __init__(self):
        from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

        self._private = X25519PrivateKey.generate()
        public = self._private.public_key().public_bytes_raw()
        self.sealing_key = base64.urlsafe_b64encode(public).rstrip(b"=").decode()

    def ring(self, kms, wrapping_key, stage):
        """The ring with this pair as its only key."""
        wrapped = kms.encrypt(KeyId=wrapping_key, Plaintext=self._private.private_bytes_raw(), EncryptionContext={CONTEXT: stage})
        name = key_id(self.sealing_key)
        keys = [{"id": name, "wrapped_key": base64.b64encode(wrapped["CiphertextBlob"]).decode()}]
        return json.dumps({"schema": 1, "current": name, "keys": keys})
