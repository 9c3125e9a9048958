package store

import (
	"bytes"
	"context"
	"fmt"
)

// maxProblems bounds a report; ScrubReport.More counts the rest.
const maxProblems = 100

// Problem is an error found at one key.
type Problem struct {
	Key    string `json:"key"`
	Reason string `json:"reason"`
}

// ScrubReport is the result of a Scrub.
type ScrubReport struct {
	Records     int       `json:"records"`
	Collections int       `json:"collections"`
	Tenants     int       `json:"tenants"`
	Problems    []Problem `json:"problems"`
	More        int       `json:"more,omitempty"`
}

func (r *ScrubReport) note(key, reason string) {
	if len(r.Problems) == maxProblems {
		r.More++
		return
	}
	r.Problems = append(r.Problems, Problem{key, reason})
}

// Scrub opens every value and recomputes every manifest. Its error means that it stopped early; the report lists the
// damage found.
func (db *DB) Scrub(ctx context.Context) (ScrubReport, error) {
	found := make(chan ScrubReport, 1)
	err := guard(ctx, func(ctx context.Context) error {
		return db.engine.View(ctx, func(tx EngineTx) error {
			s := scrub{db: db, seen: map[string]*manifest{}, tenants: map[string]bool{}}
			if err := s.run(ctx, tx); err != nil {
				return err
			}
			found <- s.report
			return nil
		})
	})
	if err != nil {
		return ScrubReport{}, fmt.Errorf("scrub store: %w", err)
	}
	return <-found, nil
}

type scrub struct {
	db      *DB
	report  ScrubReport
	seen    map[string]*manifest // recomputed, by manifest key
	tenants map[string]bool
}

func (s *scrub) run(ctx context.Context, tx EngineTx) error {
	header, err := tx.Get([]byte(keyHeader))
	if err != nil {
		s.report.note(keyHeader, "missing")
	}
	if err := s.db.check(tx, header); err != nil {
		s.report.note(keyRoot, err.Error())
	}
	for e, err := range tx.Scan([]byte("\""), nil, false) {
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if found, err := tx.Get(e.Key); err != nil || !bytes.Equal(found, e.Value) {
			s.report.note(string(e.Key), "is there, but cannot be looked up")
		}
		if err := s.record(e); err != nil {
			return err
		}
	}
	s.report.Collections, s.report.Tenants = len(s.seen), len(s.tenants)
	return s.compare(tx)
}

// record opens one value and adds it to its manifest.
func (s *scrub) record(e Entry) error {
	tenant, collection, id, ok := splitKey(e.Key)
	if !ok {
		s.report.note("?", "not a key of this store")
		return nil
	}
	s.report.Records++
	s.tenants[tenant] = true
	if keys, err := s.db.tenant(tenant); err != nil {
		s.report.note(string(e.Key), "its tenant has no keys")
	} else if err := checkOpens(keys.sealer, tenant, collection, id, e.Value); err != nil {
		s.report.note(string(e.Key), "does not open in its place")
	}
	key := string(manifestKey(tenant, collection))
	if s.seen[key] == nil {
		s.seen[key] = &manifest{}
	}
	return s.seen[key].add(s.db.system().digester, e.Key, e.Value)
}

// compare holds the recomputed manifests against the stored ones.
func (s *scrub) compare(tx EngineTx) error {
	for e, err := range tx.Scan([]byte(prefixManifest), prefixEnd([]byte(prefixManifest)), false) {
		if err != nil {
			return err
		}
		want, err := s.db.openManifest(e.Key, e.Value)
		got := s.seen[string(e.Key)]
		if got == nil {
			got = &manifest{}
		}
		if err != nil || want != *got {
			name := bytes.TrimPrefix(e.Key, []byte(prefixManifest))
			s.report.note(string(name), "records were taken away, put back or changed")
		}
		delete(s.seen, string(e.Key))
	}
	for key := range s.seen {
		s.report.note(key, "collection without a manifest")
	}
	return nil
}
