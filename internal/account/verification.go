package account

// FromPlaidStatus reads Plaid's verification_status of an account whose numbers /auth/get gave (A6). Only statuses
// documented as proven are verified; pending, doubtful and unknown ones are not.
func FromPlaidStatus(status string) (state, method string) {
	switch status {
	case "":
		return Verified, "instant"
	case "automatically_verified", "manually_verified":
		return Verified, "micro_deposit"
	case "database_matched", "database_insights_pass":
		return Verified, "database"
	case "verification_expired", "verification_failed", "database_insights_fail":
		return VerificationFailed, "none"
	}
	return PendingVerification, "none"
}
