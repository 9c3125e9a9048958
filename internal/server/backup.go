package server

import (
	"io"

	"github.com/bankctl/bankctl/internal/fault"
)

// backupParams is the body of a backup.
type backupParams struct {
	To []string `json:"to,omitempty" doc:"Public keys of age (age1…), each of which can open the backup; left out: the escrow's"`
}

const maxRecipients = 20

// Check reports bad fields; bank parses the keys.
func (p backupParams) Check() error {
	if len(p.To) > maxRecipients {
		return fault.Field("to", "at most 20 recipients")
	}
	return nil
}

func (s *Server) backUp(c *call) (streamer, error) {
	p, err := decode[backupParams](c)
	if err != nil {
		return nil, err
	}
	write, err := s.bank.Backup(c.r.Context(), c.caller, p.To)
	if err != nil {
		return nil, err
	}
	return func(w io.Writer) error {
		counts, err := write(c.r.Context(), w)
		if err == nil {
			s.log.Info("backup made", "request_id", c.id, "entries", counts.Entries, "bytes", counts.Bytes)
		}
		return err
	}, nil
}
