package daemon_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bankctl/bankctl/internal/banktest"
	"github.com/bankctl/bankctl/internal/trail"
)

func (h home) anchors() string { return filepath.Join(h.dir, ".config/bankd/anchors") }

// copyTo replaces the file at to by that at from, as somebody with a backup of it would.
func copyTo(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// B2: an old copy of the whole file is refused, after a clean stop and after kill -9 alike, until the operator says why it
// is accepted; that is audited, and cannot be said for nothing.
func TestOldCopyIsRefused(t *testing.T) {
	t.Parallel()
	for _, killed := range []bool{false, true} {
		h := newHome(t)
		old := filepath.Join(h.dir, "old.db")
		p := h.start()
		revoked := h.client()
		p.stop()
		copyTo(t, h.db(), old)

		p = h.start()
		c := h.client()
		if _, err := c.RevokeClient(t.Context(), revoked.ClientID); err != nil {
			t.Fatal(err)
		}
		if killed {
			if !banktest.Eventually(func() bool { return anchored(t, h) }) {
				t.Fatal("the anchor does not follow the last write")
			}
			p.kill()
		} else {
			p.stop()
		}
		newest := filepath.Join(h.dir, "newest.db")
		copyTo(t, h.db(), newest)
		copyTo(t, old, h.db())
		before := sum(t, h.db())
		if said := h.refused(); !strings.Contains(said, "older than its anchor") || !strings.Contains(said, "--accept-rollback") {
			t.Errorf("killed %v: the refusal says: %s", killed, said)
		}
		if sum(t, h.db()) != before {
			t.Error("the refusal changed the file")
		}
		if said := h.refused("--accept-rollback", " "); !strings.Contains(said, "say why") {
			t.Errorf("no reason: %s", said)
		}

		copyTo(t, newest, h.db())
		if said := h.refused("--accept-rollback", "just in case"); !strings.Contains(said, "nothing to accept") {
			t.Errorf("nothing to accept: %s", said)
		}
		h.start().stop()

		copyTo(t, old, h.db())
		p = h.start("--accept-rollback", "the disk died")
		got, err := h.client().ListAudit(t.Context(), trail.Query{Action: "store.accept_rollback"})
		if err != nil || len(got) != 1 || got[0].Details["reason"] != "the disk died" || !strings.Contains(got[0].Details["found"], "older") {
			t.Errorf("audit: %+v, %v", got, err)
		}
		p.stop()
		h.start().stop() // the anchor was set anew
	}
}

// anchored reports whether the anchor is that of the newest write: a copy of the file as it is would not be missed.
func anchored(t *testing.T, h home) bool {
	t.Helper()
	entries, err := os.ReadDir(h.anchors())
	if err != nil || len(entries) != 1 {
		return false
	}
	anchor, err := entries[0].Info()
	if err != nil {
		return false
	}
	db, err := os.Stat(h.db())
	return err == nil && anchor.ModTime().After(db.ModTime())
}

// B2: a database that is gone, replaced by another one, or whose anchor is gone, is told.
func TestMissingDatabaseIsTold(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.start().stop()
	aside := filepath.Join(h.dir, "aside.db")
	copyTo(t, h.db(), aside)

	anchors := filepath.Join(h.dir, "anchors")
	if err := os.Rename(h.anchors(), anchors); err != nil {
		t.Fatal(err)
	}
	if said := h.refused(); !strings.Contains(said, "anchor of the data is missing") {
		t.Errorf("without its anchor: %s", said)
	}
	if err := os.Rename(anchors, h.anchors()); err != nil {
		t.Fatal(err)
	}

	if err := os.Remove(h.db()); err != nil {
		t.Fatal(err)
	}
	if said := h.refused(); !strings.Contains(said, "is gone") || !strings.Contains(said, h.db()) {
		t.Errorf("without the database: %s", said)
	}
	if _, err := os.Stat(h.db()); err == nil {
		t.Error("the refusal made a database")
	}
	h.start("--accept-rollback", "begun anew").stop()
	h.start().stop()

	copyTo(t, aside, h.db()) // sealed by the same key, but given up
	if said := h.refused(); !strings.Contains(said, "--accept-rollback") {
		t.Errorf("another database: %s", said)
	}
}

// An anchor that somebody edited is no anchor, and one that cannot be written stops nobody, but is told.
func TestAnchorIsSealed(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.start().stop()
	entries, err := os.ReadDir(h.anchors())
	if err != nil || len(entries) != 1 {
		t.Fatalf("%d anchors, %v", len(entries), err)
	}
	path := filepath.Join(h.anchors(), entries[0].Name())
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), `"0": `, `"0": 0`, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if said := h.refused(); !strings.Contains(said, "anchor") {
		t.Errorf("an edited anchor: %s", said)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), `simulated"`, `simulate"`, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if said := h.refused(); !strings.Contains(said, "the anchor was changed") {
		t.Errorf("another directory in the anchor: %s", said)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	h.start().stop()
}

// A program can keep the anchor.
func TestAnchorByCommand(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	program := filepath.Join(h.dir, "keep")
	kept := filepath.Join(h.dir, "kept")
	script := "#!/bin/sh\ncase $1 in load) cat " + kept + " 2>/dev/null || true;; save) cat >" + kept + ".new && mv " + kept + ".new " + kept + ";; esac\n"
	if err := os.WriteFile(program, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	h.start("--anchor", "exec:"+program).stop()
	old := filepath.Join(h.dir, "old.db")
	copyTo(t, h.db(), old)
	p := h.start("--anchor", "exec:"+program)
	h.client()
	p.stop()
	copyTo(t, old, h.db())
	if said := h.refused("--anchor", "exec:"+program); !strings.Contains(said, "older than its anchor") {
		t.Errorf("%s", said)
	}
	if _, err := os.Stat(h.anchors()); err == nil {
		t.Error("anchors are kept beside the key too")
	}
}

// A copy of data and key that is taken elsewhere, without an anchor, is opened there: that it may be old is told and audited.
func TestCopyElsewhereIsOpened(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.start().stop()
	other := newHome(t)
	for _, dir := range []string{other.data(), filepath.Dir(other.key())} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	copyTo(t, h.db(), other.db())
	copyTo(t, h.key(), other.key())
	p := other.start()
	got, err := other.client().ListAudit(t.Context(), trail.Query{Action: "store.copied"})
	if err != nil || len(got) != 1 || got[0].Details["from"] != h.data() {
		t.Errorf("audit: %+v, %v", got, err)
	}
	p.stop()
	old := filepath.Join(other.dir, "old.db")
	copyTo(t, other.db(), old)
	p = other.start()
	other.client()
	p.stop()
	copyTo(t, old, other.db())
	if said := other.refused(); !strings.Contains(said, "older than its anchor") {
		t.Errorf("there it has an anchor too: %s", said)
	}
}
