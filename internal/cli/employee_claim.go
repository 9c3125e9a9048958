package cli

import (
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/employee"
)

// claim is what is posted of an account chosen in Link: what Link said, which bankd keeps and never believes (A37).
func claim(s connection.Session, x connection.MetadataAccount) employee.LinkParams {
	p := employee.LinkParams{
		PublicToken: s.PublicToken, AccountID: x.ID, AccountMask: x.Mask, AccountName: x.Name, AccountType: x.Type,
		AccountSubtype: x.Subtype, VerificationStatus: x.VerificationStatus,
	}
	if s.Institution != nil {
		p.InstitutionID, p.InstitutionName = s.Institution.ID, s.Institution.Name
	}
	return p
}

// claimJoined is what is posted of an update session, which names no account: the account joined before (A36). ok is
// false where none was.
func claimJoined(s connection.Session, v employee.BankAccount) (p employee.LinkParams, ok bool) {
	p = claim(s, connection.MetadataAccount{
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
