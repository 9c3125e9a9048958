package employee

import (
	"slices"
	"time"

	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/tenant"
)

// Modes of a link token.
const (
	ModeNew    = "new"
	ModeUpdate = "update"
)

// TokenReply is the reply to a request for a link token (R128). Its last four fields are set if a hosted page was asked
// for or the mode is known (R117, R129).
type TokenReply struct {
	LinkToken     string    `json:"linkToken"`
	HostedLinkURL string    `json:"hostedLinkUrl,omitempty" doc:"Set with hosted=true"`
	SessionID     string    `json:"sessionId,omitempty" doc:"Watch it at /api/v1/plaid/link-sessions/{sessionId}"`
	Expiration    time.Time `json:"expiration"`
	Mode          string    `json:"mode" enum:"new,update" doc:"update where the account is linked already"`
}

// LinkParams saves a connection with the data of Plaid Link's success (R136-R144). All of it but the public token is
// kept as a claim and not relied on (A37).
type LinkParams struct {
	PublicToken        string `json:"publicToken,omitempty" doc:"Required for a first link; an update session gives none (A36)"`
	AccountID          string `json:"accountId" doc:"Plaid's id of the account chosen in Link, not ours"`
	AccountMask        string `json:"accountMask,omitempty" doc:"May be null"`
	AccountName        string `json:"accountName"`
	AccountType        string `json:"accountType"`
	AccountSubtype     string `json:"accountSubtype,omitempty" doc:"May be null"`
	InstitutionID      string `json:"institutionId" doc:"May be null only where the numbers were typed in Link, which names no institution"`
	InstitutionName    string `json:"institutionName" doc:"May be null only where the numbers were typed in Link"`
	VerificationStatus string `json:"verificationStatus,omitempty" doc:"May be null"`
}

// Check names every bad field. CheckPublicToken decides whether the public token is needed.
func (p LinkParams) Check() error {
	var bad fault.Problems
	bad.Check("accountId", tenant.CheckText(p.AccountID, 128))
	bad.Check("accountName", tenant.CheckText(p.AccountName, 300))
	bad.Check("accountType", tenant.CheckText(p.AccountType, 64))
	for _, o := range []struct {
		name, value string
		limit       int
		needed      bool
	}{
		{"publicToken", p.PublicToken, 512, false}, {"accountMask", p.AccountMask, 16, false},
		{"accountSubtype", p.AccountSubtype, 64, false}, {"verificationStatus", p.VerificationStatus, 64, false},
		{"institutionId", p.InstitutionID, 128, !p.typedInLink()}, {"institutionName", p.InstitutionName, 300, !p.typedInLink()},
	} {
		if o.value != "" || o.needed {
			bad.Check(o.name, tenant.CheckText(o.value, o.limit))
		}
	}
	return bad.Err()
}

// typedInLink reports whether the status belongs to an Item whose numbers were typed in Link, which has no institution.
func (p LinkParams) typedInLink() bool {
	return slices.Contains([]string{
		"pending_manual_verification", "manually_verified", "verification_failed", "unsent", "database_matched",
		"database_insights_pass", "database_insights_pass_with_caution", "database_insights_fail", "database_insights_pending",
	}, p.VerificationStatus)
}

// CheckPublicToken requires the token, unless the account is joined to an Item and its last session was an update
// (A36).
func (p LinkParams) CheckPublicToken(a BankAccount) error {
	updated := a.PlaidItemID != "" && a.LastSession != nil && a.LastSession.Mode == ModeUpdate
	if p.PublicToken == "" && !updated {
		return fault.Field("publicToken", "is required").WithHint("it is what Plaid Link gives on success")
	}
	return nil
}
