package plaidsim

import (
	"context"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"
)

const maxBody = 1 << 20

// call is one API request and its reply in the making.
type call struct {
	ctx       context.Context
	route     string
	client    string
	requestID string
	body      map[string]any
	now       time.Time
	item      *item // set for routes that take an access token
	token     *accessToken
	changed   bool // the call changed the state
}

// decodeBody reads a JSON object; orNull also lets the body be null or empty.
func decodeBody(r *http.Request, orNull bool) (map[string]any, *apiError) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return nil, invalidRequest("INVALID_HEADERS", "Content-Type must be application/json")
	}
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil || len(raw) > maxBody {
		return nil, errInvalidBody()
	}
	if text := strings.TrimSpace(string(raw)); orNull && (text == "" || text == "null") {
		return map[string]any{}, nil
	}
	return decodeText(string(raw))
}

func decodeText(raw string) (map[string]any, *apiError) {
	dec := json.NewDecoder(strings.NewReader(raw))
	dec.UseNumber()
	var body map[string]any
	if err := dec.Decode(&body); err != nil || body == nil || dec.More() {
		return nil, errInvalidBody()
	}
	return body, nil
}

func errInvalidBody() *apiError {
	return invalidRequest("INVALID_BODY", "body could not be parsed as JSON")
}

// credentials reads the caller's keys from the headers or the body. It accepts any non-empty pair; tokens belong to the
// client id.
func credentials(r *http.Request, body map[string]any) (string, *apiError) {
	var missing []string
	pick := func(header, name string) string {
		if values, ok := r.Header[http.CanonicalHeaderKey(header)]; ok && len(values) > 0 {
			return strings.TrimSpace(values[0])
		}
		if s, ok := body[name].(string); ok {
			return s
		}
		if body[name] == nil {
			missing = append(missing, name)
		}
		return ""
	}
	client, secret := pick("PLAID-CLIENT-ID", "client_id"), pick("PLAID-SECRET", "secret")
	if len(missing) > 0 {
		return "", errMissingFields(missing)
	}
	if client == "" {
		return "", invalidRequest("INVALID_FIELD", "client_id must be a properly formatted, non-empty string")
	}
	if secret == "" {
		return "", invalidInput("INVALID_API_KEYS", "invalid client_id or secret provided")
	}
	return client, nil
}

func dig(body map[string]any, path string) any {
	var v any = body
	for name := range strings.SplitSeq(path, ".") {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[name]
	}
	return v
}

func (c *call) str(path string) string {
	s, _ := dig(c.body, path).(string)
	return s
}

func (c *call) flag(path string, fallback bool) bool {
	if b, ok := dig(c.body, path).(bool); ok {
		return b
	}
	return fallback
}

func (c *call) num(path string, fallback int) int {
	if n, ok := dig(c.body, path).(json.Number); ok {
		if i, err := n.Int64(); err == nil {
			return int(i)
		}
	}
	return fallback
}

func (c *call) has(path string) bool { return dig(c.body, path) != nil }

func (c *call) strs(path string) []string {
	raw, _ := dig(c.body, path).([]any)
	var out []string
	for _, v := range raw {
		if s, ok := v.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

func (c *call) decimal(path string) json.Number {
	n, _ := dig(c.body, path).(json.Number)
	return n
}
