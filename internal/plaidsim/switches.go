package plaidsim

// Switches selects among behaviours that Plaid leaves undocumented. The zero value follows the documentation.
type Switches struct {
	// UpdatePublicToken lets a finished update-mode session carry a public
	// token in its results; otherwise the results are empty.
	UpdatePublicToken bool
	// SyncNotReadyError answers an early /transactions/sync with
	// PRODUCT_NOT_READY instead of an empty 200.
	SyncNotReadyError bool
	// CloseAbandoned sets finished_at of a session that nobody finished, once the link token has expired.
	CloseAbandoned bool
	// MissingProductsInvalid answers a create without products with
	// INVALID_FIELD instead of MISSING_FIELDS.
	MissingProductsInvalid bool
	// FieldsFirst checks the fields before the keys.
	FieldsFirst bool
	// ReExchange lets a used public token be exchanged again within its
	// lifetime, for the same access token.
	ReExchange bool
	// FourteenAccounts adds the auto loan and the home equity line.
	FourteenAccounts bool
	// KeepSessions keeps link_sessions in /link/token/get beyond six hours.
	KeepSessions bool
	// LegacyOnSuccess also sends the deprecated on_success and on_exit.
	LegacyOnSuccess bool
	// Production makes /sandbox routes answer SANDBOX_ONLY while production
	// rate limits are on, and link tokens good for one success only.
	Production bool
}
