package plaidsim

// Switches selects among behaviours that Plaid leaves undocumented, or that one caller has seen otherwise than
// documented. The zero value follows the documentation; [Behaviours] lists them for users.
type Switches struct {
	// UpdatePublicToken lets a finished update-mode session carry a public
	// token in its results; otherwise the results are empty.
	UpdatePublicToken bool
	// SyncNotReadyError answers an early /transactions/sync with
	// PRODUCT_NOT_READY instead of an empty 200.
	SyncNotReadyError bool
	// CloseAbandoned sets finished_at of a session that nobody finished, once the link token has expired.
	CloseAbandoned bool
	// FieldsFirst checks the fields before the keys.
	FieldsFirst bool
	// ReExchange lets a used public token be exchanged again within its
	// lifetime, for the same Item and access token.
	ReExchange bool
	// FourteenAccounts adds the auto loan and the home equity line, and apy to every account.
	FourteenAccounts bool
	// BalanceOfAnyAge lets a balance call to Capital One leave out min_last_updated_datetime.
	BalanceOfAnyAge bool
	// PhoneStep asks for a phone number, which can be skipped, before the bank.
	PhoneStep bool
	// JunkSession opens a second session with each hosted page: it has events but no results, and never ends.
	JunkSession bool
	// EmptyCursor answers a sync of an Item that has no transactions with an empty cursor, though its history is complete.
	EmptyCursor bool
	// KeepSessions keeps link_sessions in /link/token/get beyond six hours.
	KeepSessions bool
	// LegacyOnSuccess also sends the deprecated on_success and on_exit.
	LegacyOnSuccess bool
	// Production makes /sandbox routes answer SANDBOX_ONLY while production
	// rate limits are on, and link tokens good for one success only.
	Production bool
}
