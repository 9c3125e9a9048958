package status

// Examination is the result of a check of all data.
type Examination struct {
	OK     bool    `json:"ok"`
	Checks []Check `json:"checks"`
}

// Check is the result for one thing that was examined.
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
