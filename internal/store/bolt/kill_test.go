package bolt

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bankctl/bankctl/internal/store"
)

// child runs one test of this binary in a new process.
func child(t *testing.T, test string, env ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+test+"$")
	cmd.Env = append(os.Environ(), env...)
	return cmd
}

// TestKill repeatedly kills a process that creates a database and writes to it, at random moments: the file is absent
// or complete and has every acknowledged write. BANKD_KILL_ROUNDS sets how often.
func TestKill(t *testing.T) {
	t.Parallel()
	if path := os.Getenv("BANKD_TEST_KILL"); path != "" {
		writeUntilKilled(path)
		return
	}
	rounds := 40
	if s := os.Getenv("BANKD_KILL_ROUNDS"); s != "" {
		var err error
		if rounds, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	absent, acknowledged := 0, 0
	for round := range rounds {
		path := filepath.Join(t.TempDir(), "bankd.db")
		acks := 0
		for range 2 { // the second process opens the first one's file
			acks = max(acks, killOnce(t, path))
		}
		if _, err := os.Lstat(path); err != nil {
			absent++
		}
		if got := highest(t, path); got < acks {
			t.Fatalf("round %d: write %d was acknowledged, %d is the last that is there", round, acks, got)
		}
		acknowledged += acks
	}
	t.Logf("%d kills, %d before the file was there, %d acknowledged writes, 0 lost", 2*rounds, absent, acknowledged)
}

// killOnce starts a writer, kills it and returns the last write it acknowledged.
func killOnce(t *testing.T, path string) int {
	t.Helper()
	cmd := child(t, "TestKill", "BANKD_TEST_KILL="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill := time.AfterFunc(time.Duration(rand.Int64N(int64(60*time.Millisecond))), func() { _ = cmd.Process.Kill() })
	defer kill.Stop()
	last := 0
	for lines := bufio.NewScanner(out); lines.Scan(); {
		text, ok := strings.CutPrefix(lines.Text(), "ack ")
		if !ok {
			t.Errorf("writer: %s", lines.Text())
			continue
		}
		if n, err := strconv.Atoi(text); err == nil { // the kill may cut a line short
			last = n
		}
	}
	_ = cmd.Wait()
	return last
}

// writeUntilKilled writes numbered entries of uneven size, several at a time.
func writeUntilKilled(path string) {
	e, err := Open(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	for {
		n := 0
		err := e.Update(context.Background(), func(tx store.EngineTx) (err error) {
			if n, err = last(tx); err != nil {
				return err
			}
			n++
			return errors.Join(
				tx.Put(fmt.Appendf(nil, "n/%08d", n), make([]byte, n*37%5000)),
				tx.Delete(fmt.Appendf(nil, "old/%08d", n-3)),
				tx.Put(fmt.Appendf(nil, "old/%08d", n), []byte("x")),
			)
		})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("ack %d\n", n)
	}
}

// last returns the number of the newest entry.
func last(tx store.EngineTx) (int, error) {
	for e, err := range tx.Scan([]byte("n/"), []byte("n0"), true) {
		if err != nil {
			return 0, err
		}
		return strconv.Atoi(string(e.Key[2:]))
	}
	return 0, nil
}

// highest opens a killed process's file, creating it if there is none,
// and checks that its entries have no gap.
func highest(t *testing.T, path string) int {
	t.Helper()
	e := openTest(t, path)
	defer e.Close()
	count := 0
	var newest int
	err := e.View(t.Context(), func(tx store.EngineTx) (err error) {
		for _, err := range tx.Scan([]byte("n/"), []byte("n0"), false) {
			if err != nil {
				return err
			}
			count++
		}
		newest, err = last(tx)
		return err
	})
	if err != nil || count != newest {
		t.Fatalf("%d entries, the newest is number %d: %v", count, newest, err)
	}
	return newest
}
