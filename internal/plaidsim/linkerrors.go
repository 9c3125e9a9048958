package plaidsim

// linkErrors are the errors that Link shows and the API never answers.
var linkErrors = map[string]struct{ typ, text string }{
	"INVALID_ACCOUNT_NUMBER":         {"INVALID_REQUEST", "These numbers do not belong to the account you chose. Check them and try again."},
	"INCORRECT_DEPOSIT_VERIFICATION": {"INVALID_INPUT", "This is not the code of the deposit. Check your statement and try again."},
	"TOO_MANY_VERIFICATION_ATTEMPTS": {"INVALID_INPUT", "The code was wrong too often. The account has to be linked again."},
	"INVALID_UPDATED_USERNAME":       {"ITEM_ERROR", "Sign in with the same user name as before."},
	"INVALID_LINK_TOKEN":             {"INVALID_INPUT", "This link has expired or was not found. Go back to the app and start again."},
	"ACCESS_NOT_GRANTED":             {"ITEM_ERROR", "Access was not granted at the bank."},
	"NO_AUTH_ACCOUNTS":               {"ITEM_ERROR", "There is no checking, savings or cash management account that can be linked."},
	"INSTANT_MATCH_FAILED":           {"ITEM_ERROR", "The numbers could not be matched with the account."},
	"RECAPTCHA_BAD":                  {"RECAPTCHA_ERROR", "The check could not tell that you are a person."},
	"VERIFICATION_EXPIRED":           {"ITEM_ERROR", "This account can no longer be verified. It has to be linked again."},
	"PRODUCTS_NOT_SUPPORTED":         {"ITEM_ERROR", "This bank does not offer what the app asks for. Choose another bank."},
}

// exitError rebuilds an error from its code.
func exitError(code string) *apiError {
	if loginErrors[code] != "" {
		return loginError(code)
	}
	row := linkErrors[code]
	e := bad(row.typ, code, row.text)
	e.display = row.text
	return e
}

// problemText is the page's text for an error code.
func problemText(code string) string { return exitError(code).display }
