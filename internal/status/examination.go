package status

// Examination is what a look at everything found.
type Examination struct {
	OK     bool    `json:"ok"`
	Checks []Check `json:"checks"`
}

// Check is one thing that was looked at.
type Check struct {
	Name   string `json:"name"`
	Result string `json:"result" enum:"ok,attention,failed"`
	Detail string `json:"detail"`
	Hint   string `json:"hint,omitempty" doc:"The command that helps"`
}

// Results of a check.
const (
	Fine      = "ok"
	Attention = "attention"
	Broken    = "failed"
)
