package vault

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

const maxHelperReply = 64 << 10

// execKEK asks a helper program, which runs once a call: one JSON request on its stdin, one JSON reply on its stdout.
// docs/keys.md describes the protocol.
type execKEK struct {
	path    string
	turn    chan struct{} // one call at a time: tokens take one user, and calls that wait are not late
	id      string
	opens   []string // older ids
	rotates bool
}

type helperRequest struct {
	Op   string `json:"op"` // id, wrap, unwrap, rotate
	ID   string `json:"id,omitempty"`
	DEK  []byte `json:"dek,omitempty"`
	Blob []byte `json:"blob,omitempty"`
	AAD  []byte `json:"aad,omitempty"`
}

type helperReply struct {
	ID      string   `json:"id"`
	Opens   []string `json:"opens"`
	Rotates bool     `json:"rotates"`
	DEK     []byte   `json:"dek"`
	Blob    []byte   `json:"blob"`
	Error   string   `json:"error"` // wrong_key, unavailable, unsupported, or another word
	Message string   `json:"message"`
}

// OpenExecKEK asks the helper program at path for the key that it wraps with.
func OpenExecKEK(ctx context.Context, path string) (KEK, error) {
	return openExec(ctx, &execKEK{path: path, turn: make(chan struct{}, 1)})
}

func openExec(ctx context.Context, k *execKEK) (KEK, error) {
	reply, err := k.call(ctx, helperRequest{Op: "id"})
	if err != nil {
		return nil, fmt.Errorf("open key of helper: %w", err)
	}
	return k.take(reply)
}

func (k *execKEK) take(r helperReply) (KEK, error) {
	for _, id := range append([]string{r.ID}, r.Opens...) {
		if !validKeyID(id) {
			return nil, fmt.Errorf("open key of helper: %s named a key with an id that is empty, longer than 128 characters or not printable ASCII", k.path)
		}
	}
	return &execKEK{path: k.path, turn: k.turn, id: r.ID, opens: r.Opens, rotates: r.Rotates}, nil
}

func validKeyID(id string) bool {
	return id != "" && len(id) <= 128 && strings.IndexFunc(id, func(c rune) bool { return c <= ' ' || c > '~' }) < 0
}

// ID is the helper's own, with its provider before it.
func (k *execKEK) ID() string { return "exec:" + k.id }

func (k *execKEK) keep(id string) (KEK, bool) {
	id, ours := strings.CutPrefix(id, "exec:")
	if !ours || !slices.Contains(k.opens, id) {
		return nil, false
	}
	return &execKEK{path: k.path, turn: k.turn, id: id}, true
}

func (k *execKEK) Wrap(ctx context.Context, dek, aad []byte) ([]byte, error) {
	reply, err := k.call(ctx, helperRequest{Op: "wrap", ID: k.id, DEK: dek, AAD: aad})
	if err != nil {
		return nil, err
	}
	if len(reply.Blob) == 0 || bytes.Contains(reply.Blob, dek) {
		return nil, fmt.Errorf("the key's helper %s returned no sealed blob", k.path)
	}
	return reply.Blob, nil
}

func (k *execKEK) Unwrap(ctx context.Context, blob, aad []byte) ([]byte, error) {
	if len(blob) == 0 {
		return nil, errors.Join(ErrWrongKey, ctx.Err())
	}
	reply, err := k.call(ctx, helperRequest{Op: "unwrap", ID: k.id, Blob: blob, AAD: aad})
	return reply.DEK, err
}

// Rotate asks the helper for a new key, if it said that it makes them.
func (k *execKEK) Rotate(ctx context.Context) (KEK, error) {
	if !k.rotates {
		return nil, fmt.Errorf("%w: make one where the helper %s keeps them, so that it names both, then run `bankctl keys rewrap`", ErrNoRotation, k.path)
	}
	if _, err := k.call(ctx, helperRequest{Op: "rotate"}); err != nil {
		return nil, fmt.Errorf("rotate key of helper: %w", err)
	}
	return k.Renew(ctx)
}

// Renew asks the helper again which key it wraps with.
func (k *execKEK) Renew(ctx context.Context) (KEK, error) { return openExec(ctx, k) }

// call runs the helper once. Its stderr is dropped, since it may hold what it was given.
func (k *execKEK) call(ctx context.Context, request helperRequest) (helperReply, error) {
	if err := ctx.Err(); err != nil {
		return helperReply{}, err
	}
	text, err := json.Marshal(request)
	if err != nil {
		return helperReply{}, err
	}
	select {
	case k.turn <- struct{}{}:
		defer func() { <-k.turn }()
	case <-ctx.Done():
		return helperReply{}, ctx.Err()
	}
	limited, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	cmd := exec.CommandContext(limited, k.path)
	cmd.Env = helperEnv(os.Environ())
	cmd.Stdin = bytes.NewReader(append(text, '\n'))
	out := &capped{left: maxHelperReply}
	cmd.Stdout, cmd.WaitDelay = out, 100*time.Millisecond
	runErr := cmd.Run()
	var reply helperReply
	parseErr := json.Unmarshal(out.Bytes(), &reply)
	switch {
	case ctx.Err() != nil:
		return helperReply{}, ctx.Err()
	case limited.Err() != nil:
		return helperReply{}, fmt.Errorf("%w: the helper %s did not end within %s, run it by hand", ErrKEKUnavailable, k.path, callTime)
	case parseErr == nil && reply.Error != "":
		return helperReply{}, k.refusal(reply)
	case runErr != nil:
		return helperReply{}, fmt.Errorf("%w: the helper %s ended with %w, run it by hand", ErrKEKUnavailable, k.path, runErr)
	case parseErr != nil || out.left < 0:
		return helperReply{}, fmt.Errorf("%w: the helper %s answered something else than one JSON object", ErrKEKUnavailable, k.path)
	}
	return reply, nil
}

func (k *execKEK) refusal(r helperReply) error {
	message := strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' {
			return -1
		}
		return c
	}, r.Message)
	message = message[:min(len(message), 200)]
	switch r.Error {
	case "wrong_key":
		return ErrWrongKey
	case "unsupported":
		return fmt.Errorf("%w: the helper %s says: %s", ErrNoRotation, k.path, message)
	}
	return fmt.Errorf("%w: the helper %s says: %s", ErrKEKUnavailable, k.path, message)
}

// helperEnv leaves out the secrets that are not the helper's.
func helperEnv(env []string) []string {
	return slices.DeleteFunc(env, func(v string) bool {
		return strings.HasPrefix(v, "PLAID_") || strings.HasPrefix(v, "VAULT_TOKEN")
	})
}

// capped is a buffer that drops what is more than left.
type capped struct {
	bytes.Buffer
	left int
}

func (c *capped) Write(p []byte) (int, error) {
	c.left -= len(p)
	if c.left < 0 {
		return 0, io.ErrShortWrite
	}
	return c.Buffer.Write(p)
}
