// Package vault owns key material: the key-encryption key (KEK) and its
// providers, the keysets that a KEK wraps, and sealing and keyed digests with
// them, all by Tink. It leaves to package store what is sealed and where it lies.
package vault
