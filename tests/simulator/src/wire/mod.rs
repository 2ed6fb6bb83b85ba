//! The socket half: transports, key exchange, and the MTProto 2.0 session layer.
