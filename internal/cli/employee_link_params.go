package cli

import (
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/employee"
)

// linkParamsOf makes the save request for an account chosen in Link. Its content is Link's word alone: bankd stores it,
// and relies on none of it (A37).
func linkParamsOf(s connection.Session, x connection.MetadataAccount) employee.LinkParams {
	p := employee.LinkParams{
		PublicToken: s.PublicToken, AccountID: x.ID, AccountMask: x.Mask, AccountName: x.Name, AccountType: x.Type,
		AccountSubtype: x.Subtype, VerificationStatus: x.Status(),
	}
	if s.Institution != nil {
		p.InstitutionID, p.InstitutionName = s.Institution.ID, s.Institution.Name
	}
	return p
}

// linkParamsOfJoined makes the save request of an update session, which names no account: it names the one linked before
// (A36). ok is false without such an account.
func linkParamsOfJoined(s connection.Session, v employee.BankAccount) (p employee.LinkParams, ok bool) {
	p = linkParamsOf(s, connection.MetadataAccount{
		ID: v.PlaidAccountID, Mask: v.Mask, Name: string(v.AccountType), Type: "depository",
	})
	if p.InstitutionID == "" || p.InstitutionName == "" {
		p.InstitutionID, p.InstitutionName = v.InstitutionID, v.InstitutionName
	}
	if v.Evidence != nil {
		p.VerificationStatus = v.Evidence.PlaidStatus
	}
	return p, v.PlaidAccountID != ""
}
