package anchor

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"time"
)

// Command keeps one anchor through a program of the operator's, for instance in a Vault, a TPM or another machine's log.
// `PROGRAM load` prints the anchor that was saved last, or nothing; `PROGRAM save` reads it, one JSON object, from stdin.
type Command string

const commandTime = 10 * time.Second

// Where is the program.
func (c Command) Where() string { return "the command " + string(c) }

// Load runs the program with the argument load.
func (c Command) Load(ctx context.Context) ([]Anchor, error) {
	out, err := c.run(ctx, "load", nil)
	if err != nil || len(bytes.TrimSpace(out)) == 0 {
		return nil, err
	}
	var a Anchor
	if err := json.Unmarshal(out, &a); err != nil || a.DB == "" {
		return nil, fmt.Errorf("read anchor by %s: its output is no anchor", string(c))
	}
	return []Anchor{a}, nil
}

// Save runs the program with the argument save.
func (c Command) Save(ctx context.Context, a Anchor) error {
	text, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("keep anchor: %w", err)
	}
	_, err = c.run(ctx, "save", append(text, '\n'))
	return err
}

func (c Command) run(ctx context.Context, verb string, input []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, string(c), verb)
	cmd.WaitDelay = time.Second
	cmd.Stdin = bytes.NewReader(input)
	var out limited
	cmd.Stdout = &out
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("run %s %s: %w", string(c), verb, err)
	}
	return out.Bytes(), nil
}

// limited is a buffer that refuses more than an anchor can be.
type limited struct{ bytes.Buffer }

func (l *limited) Write(p []byte) (int, error) {
	if l.Len()+len(p) > maxFile {
		return 0, io.ErrShortBuffer
	}
	return l.Buffer.Write(p)
}
