package plaid

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"

	sdk "github.com/plaid/plaid-go/v29/plaid"

	"github.com/bankctl/bankctl/internal/fault"
)

// explain turns an SDK error into a fault. The SDK's own text is never used: it can hold what was sent.
func explain(ctx context.Context, resp *http.Response, err error) error {
	if err == nil {
		return nil
	}
	if generic, ok := errors.AsType[sdk.GenericOpenAPIError](err); ok {
		if pe, ok := plaidError(generic); ok {
			return refused(pe)
		}
		status := 0
		if resp != nil {
			status = resp.StatusCode
		}
		return unknownOutcome{fault.New(fault.PlaidError, "Plaid answered %d with something that is not its API", status).
			WithHint("usually a passing fault at Plaid: try again").Because(errors.New(generic.Error()))}
	}
	if timedOut(err) {
		return unknownOutcome{fault.New(fault.PlaidTimeout, "Plaid did not answer in time").WithHint("try again").Because(cause(err))}
	}
	if ctx.Err() != nil {
		return unknownOutcome{fault.New(fault.Unavailable, "the call was given up before Plaid answered").Because(ctx.Err())}
	}
	return unknownOutcome{fault.New(fault.PlaidError, "Plaid could not be reached").
		WithHint("check this machine's network, then try again").Because(cause(err))}
}

// plaidError finds Plaid's own error body. ErrorCode is empty where a proxy answered, or a 200 could not be read.
func plaidError(generic sdk.GenericOpenAPIError) (sdk.PlaidError, bool) {
	if pe, ok := generic.Model().(sdk.PlaidError); ok && pe.ErrorCode != "" {
		return pe, true
	}
	var pe sdk.PlaidError
	if json.Unmarshal(generic.Body(), &pe) == nil && pe.ErrorCode != "" {
		return pe, true
	}
	return sdk.PlaidError{}, false
}

func timedOut(err error) bool {
	if n, ok := errors.AsType[net.Error](err); ok && n.Timeout() {
		return true
	}
	return errors.Is(err, context.DeadlineExceeded)
}

// cause keeps an error's innermost text: the outer ones name a URL.
func cause(err error) error {
	for errors.Unwrap(err) != nil {
		err = errors.Unwrap(err)
	}
	return err
}

// unknownOutcome marks a failure after which nobody knows what Plaid did.
type unknownOutcome struct{ fault *fault.Error }

func (u unknownOutcome) Error() string { return u.fault.Error() }
func (u unknownOutcome) Unwrap() error { return u.fault }

// OutcomeUnknown reports whether Plaid may have done what was asked although the call failed.
func OutcomeUnknown(err error) bool {
	_, ok := errors.AsType[unknownOutcome](err)
	return ok
}

// Code gives Plaid's error_code of a failure, or "".
func Code(err error) string {
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Plaid != nil {
		return f.Plaid.ErrorCode
	}
	return ""
}

// refused reads a refusal by Plaid's code alone, as the contract's table says.
func refused(pe sdk.PlaidError) error {
	f := byCode(pe)
	f.Plaid = &fault.Plaid{ErrorType: string(pe.ErrorType), ErrorCode: pe.ErrorCode, RequestID: pe.GetRequestId()}
	if pe.ErrorCode == "INTERNAL_SERVER_ERROR" {
		return unknownOutcome{f}
	}
	return f
}

func byCode(pe sdk.PlaidError) *fault.Error {
	switch code := pe.ErrorCode; code {
	case "INVALID_PUBLIC_TOKEN":
		return fault.Field("public_token", "is unknown to Plaid, used already, or older than 30 minutes").
			WithHint("open Link again for a new one")
	case "INVALID_ACCOUNT_ID":
		return fault.Field("plaid_account_id", "is not an account of this connection").
			WithHint("`bankctl connections sync` reads the accounts anew")
	case "ITEM_LOGIN_REQUIRED":
		return fault.New(fault.RelinkRequired, "the bank asks the user to sign in again").
			WithHint("run `bankctl connections reauth ID`")
	case "ITEM_NOT_FOUND", "INVALID_ACCESS_TOKEN":
		return fault.New(fault.RelinkRequired, "the connection is gone at Plaid").WithHint("link the bank again with `bankctl link`")
	}
	if pe.ErrorType == "RATE_LIMIT_EXCEEDED" {
		f := fault.New(fault.RateLimited, "Plaid's rate limit is reached (%s)", pe.ErrorCode).WithHint("wait a minute, then try again")
		f.Retryable, f.RetryAfter = pe.ErrorCode != "CREDITS_EXHAUSTED", 60
		return f
	}
	f := fault.New(fault.PlaidError, "Plaid refused the call: %s", pe.ErrorCode).WithHint("%s", hints[pe.ErrorCode])
	f.Retryable = passing(pe)
	return f
}

var hints = map[string]string{
	"INVALID_API_KEYS":                   "check PLAID_CLIENT_ID and PLAID_SECRET, and that the secret is of this environment",
	"INVALID_PRODUCT":                    "the product is not enabled for this Plaid account",
	"INSTITUTION_DOWN":                   "the bank is down: try again in a few hours",
	"INSTITUTION_NOT_RESPONDING":         "the bank does not answer: try again in a few hours",
	"INSTITUTION_NOT_AVAILABLE":          "the bank is not available: try again in a few hours",
	"PRODUCT_NOT_READY":                  "Plaid is not ready with this yet: try again in a minute",
	"PRODUCTS_NOT_SUPPORTED":             "this connection cannot do it (accounts linked by number alone have no balance)",
	"ADDITIONAL_CONSENT_REQUIRED":        "the user must agree first: `bankctl connections reauth ID --product …`",
	"NO_AUTH_ACCOUNTS":                   "none of its accounts can be debited: link another one",
	"USER_PERMISSION_REVOKED":            "the user took their consent back: remove the connection and link again",
	"INTERNAL_SERVER_ERROR":              "usually a passing fault at Plaid: try again",
	"PLANNED_MAINTENANCE":                "Plaid is in maintenance: try again later",
	"UNAUTHORIZED_ENVIRONMENT":           "this Plaid account is not enabled for this environment",
	"INVALID_LINK_TOKEN":                 "the link token has expired: ask for a new one",
	"INVALID_INSTITUTION":                "no such institution in this environment",
	"LAST_UPDATED_DATETIME_OUT_OF_RANGE": "the bank has no balance fresh enough: try again later",
}

// passing reports whether the same call may succeed later by itself.
func passing(pe sdk.PlaidError) bool {
	switch pe.ErrorCode {
	case "INSTITUTION_DOWN", "INSTITUTION_NOT_RESPONDING", "INSTITUTION_NOT_AVAILABLE", "PRODUCT_NOT_READY":
		return true
	}
	return pe.ErrorType == sdk.PLAIDERRORTYPE_API_ERROR
}
