package secret_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/bankctl/bankctl/internal/secret"
)

// Everything that prints, encodes or logs shows nothing, also of a secret in another struct's hidden field.
func TestTextCannotPrintItself(t *testing.T) {
	s := secret.New("access-sandbox-8ab976e6")
	hidden := struct{ token secret.Text }{s}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%p", "%U"} {
		fmt.Fprintf(&out, verb+verb+verb+verb, s, &s, hidden, []any{s})
	}
	for _, v := range []any{s, &s, hidden, map[string]any{"x": s}, struct{ T secret.Text }{s}} {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(b)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "v", v)
		slog.New(slog.NewTextHandler(&out, nil)).Info("x", "v", v)
	}
	for _, part := range []string{"access-sandbox", "8ab976e6", "6163636573", "YWNjZXNz"} {
		if strings.Contains(out.String(), part) {
			t.Errorf("%q shows in %s", part, out.String())
		}
	}
	if s.Reveal() != "access-sandbox-8ab976e6" || !s.Same(secret.New(s.Reveal())) || s.Same(secret.New("x")) {
		t.Error("the one door does not open")
	}
}

func TestUnmarshal(t *testing.T) {
	var s secret.Text
	if json.Unmarshal([]byte(`"x"`), &s) != nil || s.Reveal() != "x" || s.Empty() {
		t.Error("a string is not taken")
	}
	if json.Unmarshal([]byte(`5`), &s) == nil {
		t.Error("a number is taken")
	}
}
