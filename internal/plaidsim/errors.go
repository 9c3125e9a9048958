package plaidsim

import (
	"net/http"
	"regexp"
	"strings"
)

// apiError is Plaid's error body together with its HTTP status.
type apiError struct {
	status     int
	typ, code  string
	message    string
	display    string
	suggestion string
}

// chapter is the part of the documentation about errors of this type, such as invalid-request-errors.
func (e *apiError) chapter() string {
	return strings.ToLower(strings.ReplaceAll(strings.TrimSuffix(e.typ, "_ERROR"), "_", "-")) + "-errors"
}

func (e *apiError) Error() string { return e.code }

// body gives the object as Plaid sends it; requestID is left out where empty.
func (e *apiError) body(requestID string) obj {
	out := obj{
		"display_message":   orNull(e.display),
		"documentation_url": "https://plaid.com/docs/?ref=error#" + e.chapter(),
		"error_code":        e.code,
		"error_message":     e.message,
		"error_type":        e.typ,
		"suggested_action":  orNull(e.suggestion),
	}
	if requestID != "" {
		out["request_id"] = requestID
	}
	return out
}

// hookBody is the object inside a webhook: with its status, without a
// request_id.
func (e *apiError) hookBody() obj {
	out := e.body("")
	out["status"] = e.status
	return out
}

func bad(typ, code, message string) *apiError {
	return &apiError{status: http.StatusBadRequest, typ: typ, code: code, message: message}
}

func invalidRequest(code, message string) *apiError { return bad("INVALID_REQUEST", code, message) }
func invalidInput(code, message string) *apiError   { return bad("INVALID_INPUT", code, message) }
func itemError(code, message string) *apiError      { return bad("ITEM_ERROR", code, message) }

func errMissingFields(names []string) *apiError {
	return invalidRequest("MISSING_FIELDS", "the following required fields are missing: "+strings.Join(names, ", "))
}

func errUnknownFields(names []string) *apiError {
	return invalidRequest("UNKNOWN_FIELDS", "the following fields are not recognized by this endpoint: "+strings.Join(names, ", "))
}

func errInvalidField(path, reason string) *apiError {
	return invalidRequest("INVALID_FIELD", path+" "+reason)
}

func errNotFound() *apiError {
	e := invalidRequest("NOT_FOUND", "the requested endpoint does not exist")
	e.status = http.StatusNotFound
	return e
}

func errInternal() *apiError {
	return &apiError{status: http.StatusInternalServerError, typ: "API_ERROR", code: "INTERNAL_SERVER_ERROR",
		message: "an unexpected error occurred"}
}

func errNoProducts() *apiError {
	return invalidRequest("INVALID_FIELD", "must provide at least one product in one of the products, optional_products, required_if_supported_products or additional_consented_products fields")
}

func errLimit(code string) *apiError {
	return &apiError{status: http.StatusTooManyRequests, typ: "RATE_LIMIT_EXCEEDED", code: code,
		message: "rate limit exceeded. Too many requests were made. Please try again later."}
}

func errAccessToken() *apiError {
	return invalidInput("INVALID_ACCESS_TOKEN", "could not find matching access token")
}

// tokenForm is the form of an access token: access-<environment>-<uuid>.
var tokenForm = regexp.MustCompile(`^access-(sandbox|development|production)-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// errUnknownToken is the error of an access token that is not one of the caller's.
func errUnknownToken(token string) *apiError {
	if !tokenForm.MatchString(token) {
		return invalidInput("INVALID_ACCESS_TOKEN", "provided access token is in an invalid format. expected format: access-<environment>-<identifier>")
	}
	return errAccessToken()
}

func errPublicToken() *apiError {
	return invalidInput("INVALID_PUBLIC_TOKEN", "could not find matching public token")
}

func errLinkToken() *apiError {
	return invalidInput("INVALID_LINK_TOKEN", "the link token is unknown or has expired")
}

func errItemNotFound() *apiError {
	return itemError("ITEM_NOT_FOUND", "The Item you requested cannot be found. This Item does not exist, has been previously removed via /item/remove, or has had access removed by the user.")
}

func errLoginRequired() *apiError {
	e := itemError("ITEM_LOGIN_REQUIRED", "the login details of this item have changed (credentials, MFA, or required user action) and a user login is required to update this information. use Link's update mode to restore the item to a good state")
	return e
}

func errConsent(product string) *apiError {
	return invalidInput("ADDITIONAL_CONSENT_REQUIRED", "client does not have user consent to access the PRODUCT_"+strings.ToUpper(product)+" product")
}

func errNotReady() *apiError {
	return itemError("PRODUCT_NOT_READY", "the requested product is not yet ready. please provide a webhook or try the request again later")
}

func errNotSupported() *apiError {
	return itemError("PRODUCTS_NOT_SUPPORTED", "the requested product is not supported by this item")
}

func errInstitution() *apiError {
	return invalidInput("INVALID_INSTITUTION", "invalid institution_id provided")
}

func errProduct(name string) *apiError {
	return invalidInput("INVALID_PRODUCT", "the product "+name+" is unknown or not allowed here")
}

func errAccountID() *apiError {
	return invalidInput("INVALID_ACCOUNT_ID", "one or more of the account_ids is not an account of this item")
}
