package tenant

// Role says which acts a client may do inside its scopes.
type Role string

// The roles of the contract. Each may do all that the one before it may, and more; but support may mint employees'
// links and never write.
const (
	Viewer   Role = "viewer"
	Support  Role = "support"
	Operator Role = "operator"
	Admin    Role = "admin"
)

// Roles lists all roles.
var Roles = []Role{Viewer, Support, Operator, Admin}

// Act is the kind of a route, to compare with roles.
type Act string

// The acts.
const (
	Read          Act = "read"           // see what the scopes show
	Link          Act = "link"           // mint a link token, finish a session, exchange (S1)
	Write         Act = "write"          // change accounts and connections
	EmployeeLink  Act = "employee_link"  // mint and save an employee's link (S2)
	EmployeeWrite Act = "employee_write" // create and delete an employee's account (S2)
	Administer    Act = "administer"     // tenants, clients, capabilities, keys, audit
)

// Acts lists all acts.
var Acts = []Act{Read, Link, Write, EmployeeLink, EmployeeWrite, Administer}

var may = map[Role][]Act{
	Viewer:   {Read},
	Support:  {Read, EmployeeLink},
	Operator: {Read, Link, Write, EmployeeLink, EmployeeWrite},
	Admin:    {Read, Link, Write, EmployeeLink, EmployeeWrite, Administer},
}

// May reports whether the role allows an act; the scope decides on which objects.
func (r Role) May(a Act) bool {
	for _, allowed := range may[r] {
		if allowed == a {
			return true
		}
	}
	return false
}

// Valid reports whether the role exists.
func (r Role) Valid() bool { return len(may[r]) > 0 }
