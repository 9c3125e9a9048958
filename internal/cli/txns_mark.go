package cli

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/socket"
	"github.com/bankctl/bankctl/internal/txn"
)

// exportMark is the position up to which rows were exported. Updates of one connection are stored one after another, each
// with its time; so a time for each connection is a position, in whatever order connections sync.
type exportMark struct {
	path string
	Seen map[string]time.Time `json:"seen"` // by connection
}

// markKey identifies an export job. It holds the filters as typed, so that --since 30d is the same job tomorrow.
type markKey struct {
	Socket, Who, Format string
	Query               txn.Query
	Since, Min, Max     string
	Pending             string
}

func newMarkKey(who credentials, o *txnsExportOptions) markKey {
	k := markKey{Socket: who.socket, Who: cmp.Or(who.profile, who.clientID), Format: o.format, Query: o.query, Since: o.since, Min: o.min, Max: o.max}
	if k.Query.Pending != nil { // kept as a word, so that existing marks keep their names
		k.Query.Pending, k.Pending = nil, yesNo(*k.Query.Pending)
	}
	return k
}

// readMark reads the mark of the last complete export of the same job; without one the export begins at the start.
func (a *app) readMark(o *txnsExportOptions) (exportMark, error) {
	m := exportMark{Seen: map[string]time.Time{}}
	dir := socket.XDGDir(a.Getenv, "XDG_STATE_HOME", ".local/state")
	if dir == "" {
		return m, usage("set HOME or XDG_STATE_HOME", "there is no directory to remember the last export in")
	}
	who, err := a.whoami()
	if err != nil {
		return m, err
	}
	text, err := json.Marshal(newMarkKey(who, o))
	if err != nil {
		return m, err
	}
	sum := sha256.Sum256(text)
	m.path = filepath.Join(dir, "bankctl", "export-"+hex.EncodeToString(sum[:12])+".json")
	text, err = os.ReadFile(m.path)
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	if err != nil {
		return m, usage("remove it to export everything again", "%s cannot be read", m.path)
	}
	return m, nil
}

// advance moves the mark to the connections' present sync times, and gives the test for rows between both. Rows that
// arrive during the export are left to the next one: the cursor may have passed some of them.
func (m *exportMark) advance(connections map[string]connection.Connection) func(txn.Transaction) bool {
	before, now := m.Seen, map[string]time.Time{}
	for id, c := range connections {
		if c.Transactions != nil {
			now[id] = c.Transactions.SyncedAt
		}
	}
	m.Seen = now
	return func(t txn.Transaction) bool {
		return t.UpdatedAt.After(before[t.ConnectionID]) && !t.UpdatedAt.After(now[t.ConnectionID])
	}
}

func (m exportMark) save() error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if err := writePrivateFile(m.path, append(text, '\n')); err != nil {
		return fmt.Errorf("remember the export: %w", err)
	}
	return nil
}
