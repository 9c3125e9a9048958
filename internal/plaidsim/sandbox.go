package plaidsim

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

func (s *Server) sandboxPublicToken(c *call) (obj, *apiError) {
	products := c.strs("initial_products")
	if err := checkItemProducts(products); err != nil {
		return nil, err
	}
	it, err := s.sandboxItem(c, products)
	if err != nil {
		return nil, err
	}
	return obj{"public_token": s.newPublicToken(it, c.now)}, nil
}

func (s *Server) sandboxProcessorToken(c *call) (obj, *apiError) {
	if _, err := s.sandboxItem(c, []string{"auth"}); err != nil {
		return nil, err
	}
	return obj{"processor_token": "processor-sandbox-" + s.ids.uuid("processor")}, nil
}

func checkItemProducts(products []string) *apiError {
	if err := checkProducts(products); err != nil {
		return err
	}
	if slices.Contains(products, "balance") {
		return invalidInput("INVALID_PRODUCT", "balance is not a valid product to initialize with: it is initialized automatically with any other product")
	}
	return nil
}

// sandboxItem makes the Item of a sandbox user, with all accounts.
func (s *Server) sandboxItem(c *call, products []string) (*item, *apiError) {
	b := findBank(c.str("institution_id"))
	if b == nil {
		return nil, errInstitution()
	}
	if !b.supports(products) {
		return nil, errProduct(strings.Join(products, ", "))
	}
	return s.signedIn(c, b, login{cmp.Or(c.str("options.override_username"), "user_good"), cmp.Or(c.str("options.override_password"), "pass_good")}, products)
}

// signedIn makes the Item of a sandbox user whom nobody asked for consent.
func (s *Server) signedIn(c *call, b *bank, given login, products []string) (*item, *apiError) {
	outcome := tryLogin(b, given)
	if outcome.err != nil {
		return nil, outcome.err
	}
	owner, err := s.userOf(c)
	if err != nil {
		return nil, err
	}
	it := &item{ID: s.ids.alnum("item", 37), Client: c.client, Institution: b.id, User: given.user, Custom: outcome.custom,
		Created: c.now, Healed: c.now, Webhook: c.str("options.webhook"), Products: products, Unasked: true, Owner: owner,
		Verification: map[string]verification{}}
	s.addItem(it, c.num("options.transactions.days_requested", 0), c.now)
	return it, nil
}

// addItem puts a new Item into the state and begins its products.
func (s *Server) addItem(it *item, days int, now time.Time) {
	s.st.Items[it.ID] = it
	if slices.Contains(it.Products, "transactions") {
		s.startTransactions(it, days, now)
	}
	if slices.Contains(it.Products, "auth") && it.AuthMethod == "" {
		it.AuthMethod = "INSTANT_AUTH"
	}
	s.schedule(it)
	s.markChanged()
	s.log.Info("simulated item made", "item_id", it.ID, "institution_id", it.Institution)
}

func (s *Server) sandboxResetLogin(c *call) (obj, *apiError) {
	if c.item.Manual != nil {
		return nil, errNotSupported()
	}
	s.breakLogin(c.item)
	return obj{"reset_login": true}, nil
}

func (s *Server) sandboxSetVerification(c *call) (obj, *apiError) {
	accounts, err := selectAccounts(s.accounts(c.item), []string{c.str("account_id")})
	if err != nil {
		return nil, err
	}
	if accounts[0].status != "pending_automatic_verification" {
		return nil, invalidRequest("INVALID_FIELD", "the account is not waiting for automatic verification")
	}
	s.setVerification(c.item, accounts[0].mask, c.str("verification_status"), c.now)
	return obj{}, nil
}

// hookProducts maps a webhook type to the product that the Item must have.
var hookProducts = map[string]string{"AUTH": "auth", "TRANSACTIONS": "transactions", "HOLDINGS": "investments",
	"INVESTMENTS_TRANSACTIONS": "investments", "LIABILITIES": "liabilities", "ASSETS": "assets"}

var itemHookCodes = []string{"NEW_ACCOUNTS_AVAILABLE", "ERROR", "LOGIN_REPAIRED", "USER_PERMISSION_REVOKED", "USER_ACCOUNT_REVOKED", "PENDING_DISCONNECT"}

// hookType returns the type of a webhook code that only one type has.
func hookType(typ, code string) string {
	switch {
	case typ != "":
		return typ
	case slices.Contains(itemHookCodes, code):
		return "ITEM"
	case code == "SMS_MICRODEPOSITS_VERIFICATION":
		return "AUTH"
	case code == "PRODUCT_READY":
		return "ASSETS"
	}
	return "TRANSACTIONS"
}

func (s *Server) sandboxFireWebhook(c *call) (obj, *apiError) {
	code := c.str("webhook_code")
	typ := hookType(c.str("webhook_type"), code)
	if c.item.Webhook == "" {
		return nil, bad("SANDBOX_ERROR", "SANDBOX_WEBHOOK_INVALID", "Webhook for this item is either not set up, or invalid. Please update the item's webhook via the /item/webhook/update endpoint.")
	}
	if len(s.accounts(c.item)) == 0 {
		return nil, exitError("NO_ACCOUNTS")
	}
	if p := hookProducts[typ]; p != "" && !slices.Contains(c.item.Products, p) {
		return nil, bad("SANDBOX_ERROR", "SANDBOX_PRODUCT_NOT_ENABLED", "your account is not enabled for this product or the product is not enabled for this item")
	}
	s.sendItem(c.item, typ, code, s.hookFields(c, typ, code))
	return obj{"webhook_fired": true}, nil
}

func (s *Server) hookFields(c *call, typ, code string) obj {
	accounts := s.accounts(c.item)
	switch code {
	case "ERROR":
		return obj{"error": errLoginRequired().hookBody()}
	case "USER_PERMISSION_REVOKED":
		c.item.Error, c.item.Relinkable = code, true
		s.markChanged()
		return obj{"error": errPermissionRevoked().hookBody()}
	case "USER_ACCOUNT_REVOKED":
		return obj{"account_id": accounts[0].id}
	case "PENDING_DISCONNECT":
		return obj{"reason": "INSTITUTION_TOKEN_EXPIRATION", "disconnect_time": stamp(c.now.AddDate(0, 0, 7))}
	case "SYNC_UPDATES_AVAILABLE":
		v := s.history(c.item).version(c.now)
		return obj{"initial_update_complete": v >= versionInitial, "historical_update_complete": v >= versionHistorical}
	case "SMS_MICRODEPOSITS_VERIFICATION":
		return obj{"account_id": accounts[0].id, "status": "MANUALLY_VERIFIED"}
	case "RECURRING_TRANSACTIONS_UPDATE":
		return obj{"account_ids": []string{accounts[0].id}}
	case "DEFAULT_UPDATE":
		if typ == "AUTH" {
			return obj{"account_ids_with_new_auth": []string{}, "account_ids_with_updated_auth": obj{accounts[0].id: []string{"ACCOUNT_NUMBER"}}}
		}
		return obj{"new_transactions": 0}
	}
	return obj{}
}
