package plaidsim

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"
)

// ItemInfo is what is left of an Item when its secrets are left out.
type ItemInfo struct {
	ID, Client  string
	Institution string // empty for typed numbers
	Error       string // error code while broken
	Removed     bool
	TokenHash   string // SHA-256, in hex, of the access token; empty where there is none that works
	Created     time.Time
}

// Items are all Items ever made, the oldest first, so that tests can hold
// what lives at Plaid against what a program believes to own.
func (s *Server) Items() []ItemInfo {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runDue(s.now())
	var out []ItemInfo
	for _, it := range s.st.Items {
		info := ItemInfo{ID: it.ID, Client: it.Client, Institution: it.Institution, Error: it.Error, Removed: it.Removed, Created: it.Created}
		if it.Token != "" && !it.Removed {
			sum := sha256.Sum256([]byte(it.Token))
			info.TokenHash = hex.EncodeToString(sum[:])
		}
		out = append(out, info)
	}
	slices.SortFunc(out, func(a, b ItemInfo) int { return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID)) })
	return out
}
