package fault

// Exit codes of bankctl. The table below gives the exit codes of faults; the others belong to the command line alone.
const (
	ExitOK          = 0
	ExitInternal    = 1
	ExitUsage       = 2
	ExitNotFound    = 3
	ExitNotAllowed  = 4
	ExitUnavailable = 5
	ExitConflict    = 6
	ExitInvalid     = 7
	ExitPlaid       = 8
	ExitRateLimited = 9
	ExitRelink      = 10
	ExitNotVerified = 11
	ExitLeft        = 12
	ExitPartial     = 13
	ExitInterrupted = 130
)

type row struct {
	code      Code
	status    int
	exit      int
	retryable bool
}

// table is the contract's table of errors, the only source of statuses and exit codes.
var table = []row{
	{BadRequest, 400, ExitInvalid, false},
	{TooLarge, 413, ExitInvalid, false},
	{Invalid, 422, ExitInvalid, false},
	{Unauthenticated, 401, ExitNotAllowed, false},
	{Forbidden, 403, ExitNotAllowed, false},
	{CapabilityDisabled, 403, ExitNotAllowed, false},
	{NotFound, 404, ExitNotFound, false},
	{Conflict, 409, ExitConflict, false},
	{Duplicate, 409, ExitConflict, false},
	{RelinkRequired, 409, ExitRelink, false},
	{RateLimited, 429, ExitRateLimited, true},
	{Internal, 500, ExitInternal, false},
	{PlaidError, 502, ExitPlaid, true},
	{PlaidTimeout, 504, ExitPlaid, true},
	{Unavailable, 503, ExitUnavailable, true},
}

func lookup(c Code) row {
	for _, r := range table {
		if r.code == c {
			return r
		}
	}
	return row{Internal, 500, ExitInternal, false}
}

// Codes lists every kind of failure in the order of the contract's table.
func Codes() []Code {
	codes := make([]Code, len(table))
	for i, r := range table {
		codes[i] = r.code
	}
	return codes
}

// Status is the HTTP status of a kind.
func (c Code) Status() int { return lookup(c).status }

// Exit is the exit code bankctl ends with on a failure of this kind.
func (c Code) Exit() int { return lookup(c).exit }

// Retryable reports whether the same call may succeed later without a change.
func (c Code) Retryable() bool { return lookup(c).retryable }
