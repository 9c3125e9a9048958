package account

import "slices"

// processors are the partners that Plaid's newest SDK lists (plaid-node 47), and one of an older list. Plaid adds some every
// few months.
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

// Processors lists Plaid's partners that bankd knows by name, for suggestions: another name may be right all the same.
func Processors() []string { return slices.Clone(processors) }

// ProcessorWarning says so of a partner that bankd does not know; Plaid decides. It is empty for one that it knows.
func ProcessorWarning(name string) string {
	if slices.Contains(processors, name) {
		return ""
	}
	return "this bankd does not know that partner's name; Plaid took it, so it may be newer"
}
