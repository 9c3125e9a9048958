package tenant

import (
	"errors"
	"time"

	"github.com/bankctl/bankctl/internal/fault"
)

// Client is one caller of the API: a job, a desk, a person. Its secret is not here: only its keyed hash is stored.
type Client struct {
	ID            string     `json:"client_id"`
	Name          string     `json:"name"`
	Tenant        string     `json:"tenant" doc:"The tenant's name"`
	Role          Role       `json:"role" enum:"viewer,support,operator,admin"`
	Employers     Scope      `json:"employers"`
	Carriers      Scope      `json:"carriers"`
	Companies     Scope      `json:"companies"`
	ActAsEmployee bool       `json:"act_as_employee" doc:"May act for any employee of its companies (R115)"`
	BindCompany   string     `json:"bind_company,omitempty" doc:"Set where the client is one employee's own"`
	BindEmployee  string     `json:"bind_employee,omitempty"`
	CreatedAt     time.Time  `json:"created_at"`
	RevokedAt     *time.Time `json:"revoked_at,omitempty"`
	LastUsedAt    *time.Time `json:"last_used_at,omitempty" doc:"When its secret was last taken, to the minute"`
	OldSecretEnds *time.Time `json:"old_secret_ends_at,omitempty" doc:"Until when the secret before the last rotation works too"`
}

// ClientParams makes a client.
type ClientParams struct {
	Name          string `json:"name" doc:"What this client is, for the audit log"`
	Role          Role   `json:"role" enum:"viewer,support,operator,admin"`
	Employers     Scope  `json:"employers,omitzero" doc:"List of employer ids, or \"*\""`
	Carriers      Scope  `json:"carriers,omitzero" doc:"List of carrier ids, or \"*\""`
	Companies     Scope  `json:"companies,omitzero" doc:"List of company ids, or \"*\""`
	ActAsEmployee bool   `json:"act_as_employee,omitempty"`
	BindCompany   string `json:"bind_company,omitempty"`
	BindEmployee  string `json:"bind_employee,omitempty"`
}

// Check names every bad field.
func (p ClientParams) Check() error {
	var bad fault.Problems
	bad.Check("name", checkName(p.Name))
	if !p.Role.Valid() {
		bad.Add("role", "must be viewer, support, operator or admin")
	}
	bad.Check("employers", p.Employers.Check())
	bad.Check("carriers", p.Carriers.Check())
	bad.Check("companies", p.Companies.Check())
	if (p.BindCompany == "") != (p.BindEmployee == "") {
		bad.Add("bind_employee", "a bound client needs both bind_company and bind_employee")
	}
	if p.BindCompany != "" {
		bad.Check("bind_company", CheckOwnerID(p.BindCompany))
		bad.Check("bind_employee", CheckOwnerID(p.BindEmployee))
		if !p.Employers.Empty() || !p.Carriers.Empty() || !p.Companies.Empty() || p.ActAsEmployee {
			bad.Add("bind_employee", "a bound client sees its one employee alone: leave the scopes and act_as_employee out")
		}
	}
	return bad.Err()
}

// RotateParams mints another secret for a client.
type RotateParams struct {
	KeepOld string `json:"keep_old,omitempty" doc:"How long the old secret works too, such as 24h, at most 720h; 0s ends it at once; 24h where left out"`
}

const (
	usualOverlap   = 24 * time.Hour
	longestOverlap = 30 * 24 * time.Hour
)

// Overlap gives how long the old secret goes on.
func (p RotateParams) Overlap() (time.Duration, error) {
	if p.KeepOld == "" {
		return usualOverlap, nil
	}
	d, err := time.ParseDuration(p.KeepOld)
	if err != nil || d < 0 || d > longestOverlap {
		return 0, errors.New("must be a duration from 0s to 720h, such as 24h")
	}
	return d, nil
}

// Check says what is wrong with the time.
func (p RotateParams) Check() error {
	var bad fault.Problems
	_, err := p.Overlap()
	bad.Check("keep_old", err)
	return bad.Err()
}

// Minted is a new client with its secret, which is shown this once.
type Minted struct {
	Client
	Secret string `json:"client_secret,omitempty" doc:"Shown once; bankd keeps a keyed hash"`
}

// WithoutSecret is what a replayed reply shows.
func (m Minted) WithoutSecret() any {
	m.Secret = ""
	return m
}

// Covers reports whether another client, of this role and these scopes, may nothing that this one may not.
func (c Client) Covers(role Role, p ClientParams) bool {
	for _, a := range may[role] {
		if !c.Role.May(a) {
			return false
		}
	}
	if p.BindEmployee != "" && (c.BindEmployee != "" || !c.Companies.Has(p.BindCompany) || !c.ActAsEmployee) {
		return false
	}
	return c.BindEmployee == "" && c.Employers.Covers(p.Employers) && c.Carriers.Covers(p.Carriers) &&
		c.Companies.Covers(p.Companies) && (c.ActAsEmployee || !p.ActAsEmployee)
}

// Params gives what a client was made with.
func (c Client) Params() ClientParams {
	return ClientParams{
		Name: c.Name, Role: c.Role, Employers: c.Employers, Carriers: c.Carriers, Companies: c.Companies, ActAsEmployee: c.ActAsEmployee,
		BindCompany: c.BindCompany, BindEmployee: c.BindEmployee,
	}
}
