// Package vault owns key material: the key-encryption key (KEK) and its providers, the keysets that a KEK wraps, and
// sealing and keyed digests with them, all by Tink. Package store decides what to seal and where to put it.
package vault
