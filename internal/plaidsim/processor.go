package plaidsim

import (
	"regexp"
	"slices"
)

// processors are the partners that Plaid's newest SDK lists, and one that older ones do. Plaid adds names every month, so
// one that is not here is taken, with a warning in the log.
var processors = []string{
	"achq", "adp_roll", "adyen", "airwallex", "alloy", "alpaca", "ansa", "apex_clearing", "array", "astra", "atomic",
	"atomicfi", "bakkt", "bizcap", "bloom_credit", "bond", "boom", "brale", "cardless", "cardlytics", "check",
	"checkbook", "checkout", "circle", "curinos", "cybrid", "drivewealth", "dwolla", "esusu", "fiant", "finix",
	"fortress_trust", "frame", "gainbridge", "galileo", "gemini", "gusto", "highnote", "i2c", "increase", "interchange",
	"interchecks", "kanmon", "kick", "kikoff_enterprise", "knot", "layer", "lithic", "loanpro", "marqeta",
	"modern_treasury", "moov", "natural", "nuvei", "oatfi", "ocrolus", "open_ledger", "parafin", "pay", "paynote",
	"pinwheel", "riskified", "rize", "sardine", "scribeup", "seamlessach", "sfox", "sila_money", "solid", "stake",
	"straddle", "svb_api", "taba_pay", "teal", "thread_bank", "treasury_prime", "unit", "utb", "valon", "vesta",
	"vopay", "webull", "wedbush", "wepay", "wyre", "zero_hash",
}

var processorForm = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// processorTokenCreate hands one account to a processor.
func (s *Server) processorTokenCreate(c *call) (obj, *apiError) {
	name := c.str("processor")
	if !processorForm.MatchString(name) {
		return nil, errInvalidField("processor", "is not one of the allowed values")
	}
	if err := s.handOver(c); err != nil {
		return nil, err
	}
	if !slices.Contains(processors, name) {
		s.log.Warn("this processor is not on the simulator's list", "processor", name)
	}
	return s.processorToken(), nil
}

// processorApexCreate is the older route of one processor.
func (s *Server) processorApexCreate(c *call) (obj, *apiError) {
	if err := s.handOver(c); err != nil {
		return nil, err
	}
	return s.processorToken(), nil
}

func (s *Server) processorToken() obj {
	return obj{"processor_token": "processor-sandbox-" + s.ids.uuid("processor")}
}

func (s *Server) processorStripeCreate(c *call) (obj, *apiError) {
	if err := s.handOver(c); err != nil {
		return nil, err
	}
	return obj{"stripe_bank_account_token": "btok_" + s.ids.alnum("stripe", 24)}, nil
}

// handOver makes the checks of /auth/get for one account, for the processor will ask for its numbers.
func (s *Server) handOver(c *call) *apiError {
	if err := s.checkConsent(c.item, "auth"); err != nil {
		return err
	}
	accounts, err := selectAccounts(s.accounts(c.item), []string{c.str("account_id")})
	if err != nil {
		return err
	}
	if !accounts[0].debitable() {
		return errInvalidField("account_id", "must be a checking, savings or cash management account")
	}
	return authReady(accounts[0].status)
}
