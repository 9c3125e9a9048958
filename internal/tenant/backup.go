package tenant

import (
	"time"

	"github.com/bankctl/bankctl/internal/fault"
)

// BackupParams asks for a backup of everything.
type BackupParams struct {
	To []string `json:"to,omitempty" doc:"Public keys of age (age1…), each of which can open the backup; left out: the escrow's"`
}

const maxRecipients = 20

// Check reports bad fields; bank parses the keys.
func (p BackupParams) Check() error {
	if len(p.To) > maxRecipients {
		return fault.Field("to", "at most 20 recipients")
	}
	return nil
}

// BackupVerified tells that a backup was opened and is whole.
type BackupVerified struct {
	DB     string    `json:"db_id" doc:"The store that the backup is of"`
	MadeAt time.Time `json:"made_at" doc:"When the backup was made"`
}

// Check reports bad fields.
func (p BackupVerified) Check() error {
	if p.DB == "" || p.MadeAt.IsZero() {
		return fault.Field("db_id", "db_id and made_at are both wanted, as `bankctl backup verify` prints them")
	}
	return nil
}
