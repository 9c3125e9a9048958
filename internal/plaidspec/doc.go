// Package plaidspec holds requests and replies against Plaid's own OpenAPI
// document, as the plaid-go module ships it. It owns the validation and the
// counting; the tests that use it choose the requests. Only tests import
// it.
package plaidspec
