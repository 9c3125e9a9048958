package plaid

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"

	sdk "github.com/plaid/plaid-go/v29/plaid"

	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/fault"
)

// explain turns an SDK error into a fault. It never uses the SDK's own text, which can quote the request.
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
		return unknownOutcome{fault.New(fault.PlaidTimeout, "Plaid did not answer in time").WithHint("try again").Because(reason(err))}
	}
	if ctx.Err() != nil {
		return unknownOutcome{fault.New(fault.Unavailable, "the call was given up before Plaid answered").Because(ctx.Err())}
	}
	why := reason(err)
	return unknownOutcome{fault.New(fault.PlaidError, "Plaid could not be reached").WithHint("%v: %s", why, remedy(err)).Because(why)}
}

// plaidError finds Plaid's own error body. ErrorCode is empty if a proxy answered, or a 200 could not be read.
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

// reason tells what failed, in words that hold neither a URL nor a byte of what was sent or received.
func reason(err error) error {
	for _, kind := range []struct {
		is   func(error) bool
		word string
	}{
		{isDNS, "DNS"},
		{isTLS, "TLS"},
		{func(err error) bool { return errors.Is(err, context.DeadlineExceeded) }, "timeout"},
		{func(err error) bool { _, ok := errors.AsType[*net.OpError](err); return ok }, "network"},
	} {
		if kind.is(err) {
			return fmt.Errorf("%s: %w", kind.word, innermost(err))
		}
	}
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("network: the connection was closed before an answer came")
	case errors.Is(err, errTooLarge):
		return errTooLarge
	}
	return fmt.Errorf("the exchange failed (%T)", innermost(err)) // net/http quotes answers that it cannot read
}

// innermost returns the error that the others wrap: the outer ones contain a URL.
func innermost(err error) error {
	for errors.Unwrap(err) != nil {
		err = errors.Unwrap(err)
	}
	return err
}

func isDNS(err error) bool {
	_, ok := errors.AsType[*net.DNSError](err)
	return ok
}

func isTLS(err error) bool {
	_, certificate := errors.AsType[*tls.CertificateVerificationError](err)
	_, alert := errors.AsType[tls.AlertError](err)
	_, record := errors.AsType[tls.RecordHeaderError](err)
	return certificate || alert || record || strings.Contains(err.Error(), "server gave HTTP response to HTTPS client")
}

// remedy says what to look at.
func remedy(err error) string {
	switch {
	case isDNS(err):
		return "check this machine's network and name resolution, and plaid_url"
	case isTLS(err):
		return "check this machine's clock and CA certificates, and whether a proxy stands between"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nobody listens there: check plaid_url, a proxy or a firewall"
	}
	return "check this machine's network, then try again"
}

// unknownOutcome marks a failure after which Plaid may or may not have acted.
type unknownOutcome struct{ fault *fault.Error }

func (u unknownOutcome) Error() string { return u.fault.Error() }
func (u unknownOutcome) Unwrap() error { return u.fault }

// OutcomeUnknown reports whether Plaid may have acted although the call failed.
func OutcomeUnknown(err error) bool {
	_, ok := errors.AsType[unknownOutcome](err)
	return ok
}

// Code returns Plaid's error_code of a failure, or "".
func Code(err error) string {
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Plaid != nil {
		return f.Plaid.ErrorCode
	}
	return ""
}

// refused makes the fault of a refusal from Plaid's code alone.
func refused(pe sdk.PlaidError) error {
	f := byCode(pe)
	f.Plaid = &fault.Plaid{ErrorType: string(pe.ErrorType), ErrorCode: pe.ErrorCode, RequestID: pe.GetRequestId()}
	if connection.CodeOf(pe.ErrorCode).OutcomeUnknown {
		return unknownOutcome{f}
	}
	return f
}

// byCode returns the fault of a code: the table's, or one by Plaid's error type.
func byCode(pe sdk.PlaidError) *fault.Error {
	code := connection.CodeOf(pe.ErrorCode)
	if f := code.Refuse(); f != nil {
		return f
	}
	if pe.ErrorType == "RATE_LIMIT_EXCEEDED" {
		f := fault.New(fault.RateLimited, "Plaid's rate limit is reached (%s)", pe.ErrorCode).WithHint("wait a minute, then try again")
		f.Retryable, f.RetryAfter = pe.ErrorCode != "CREDITS_EXHAUSTED", 60
		return f
	}
	f := fault.New(fault.PlaidError, "Plaid refused the call: %s", pe.ErrorCode).WithHint("%s", code.Hint)
	f.Retryable = code.Transient || pe.ErrorType == sdk.PLAIDERRORTYPE_API_ERROR
	return f
}
