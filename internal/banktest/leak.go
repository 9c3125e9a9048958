package banktest

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// published are full numbers that Plaid publishes for its sandbox. No reply, log or file may hold one. The
// account number that S1 prints is not among them: S1's sample of an employer's id happens to hold it.
var published = []string{
	"1111222233330000", "1111222233331111", "1111222233339002", "021000021", "011401533", "110000000", "333333334",
}

var tokens = regexp.MustCompile(`access-(sandbox|production)-[0-9a-f]`)

// Leaked names the published number, or the kind of Plaid's token, that a text holds; "" if it holds none. The
// answer never quotes the whole.
func Leaked(text string) string {
	for _, number := range published {
		for _, form := range Forms(number) {
			if strings.Contains(text, form) {
				return "the number that ends in " + number[len(number)-4:]
			}
		}
	}
	if tokens.MatchString(text) {
		return "an access token"
	}
	return ""
}

// Forms gives the ways a value may be written down: as it is, in hex, and in base64 at each alignment.
func Forms(value string) []string {
	forms := []string{value, hex.EncodeToString([]byte(value)), strings.ToUpper(hex.EncodeToString([]byte(value)))}
	for shift := range 3 {
		encoded := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("\x00", shift) + value))
		// The first characters depend on the bytes before, the last ones on those after.
		from, to := (shift*8+5)/6, len(encoded)-1
		if to-from >= 6 {
			forms = append(forms, encoded[from:to], strings.NewReplacer("+", "-", "/", "_").Replace(encoded[from:to]))
		}
	}
	return forms
}

// tokenCatcher notes every token that the simulator hands out, for a later search.
type tokenCatcher struct {
	mu   sync.Mutex
	seen map[string]bool
}

var anyToken = regexp.MustCompile(`(access|public|link|processor)-sandbox-[0-9a-f-]{36}`)

func (c *tokenCatcher) around(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tee := &teeWriter{ResponseWriter: w, body: &bytes.Buffer{}, status: http.StatusOK}
		defer func() {
			if !bytes.Contains(tee.body.Bytes(), []byte("-sandbox-")) { // spares the slow search of long replies
				return
			}
			c.mu.Lock()
			defer c.mu.Unlock()
			if c.seen == nil {
				c.seen = map[string]bool{}
			}
			for _, token := range anyToken.FindAllString(tee.body.String(), -1) {
				c.seen[token] = true
			}
		}()
		next.ServeHTTP(tee, r)
	})
}

func (c *tokenCatcher) all() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Sorted(maps.Keys(c.seen))
}
