// Package plaidspec holds requests and replies against Plaid's own OpenAPI
// document, as the plaid-go module ships it. It owns the validation and the
// counting; what to send is left to the tests that use it. Only tests import
// it.
package plaidspec
