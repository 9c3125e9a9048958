package plaidsim

import (
	"encoding/base64"
	"encoding/json"
)

// cursor is a position in /transactions/sync: From is the data version the caller holds, To the version it moves to,
// and Skip the number of changes between them that it has.
type cursor struct {
	Item    string `json:"i"`
	From    int    `json:"f"`
	To      int    `json:"t"`
	Skip    int    `json:"s,omitempty"`
	Account string `json:"a,omitempty"`
}

func (c cursor) String() string {
	raw, err := json.Marshal(c)
	if err != nil {
		return ""
	}
	return base64.StdEncoding.EncodeToString(raw)
}

func parseCursor(text string, itemID string) (cursor, *apiError) {
	raw, err := base64.StdEncoding.DecodeString(text)
	var c cursor
	if err != nil || json.Unmarshal(raw, &c) != nil || c.From < 0 || c.To < c.From || c.Skip < 0 {
		return c, errInvalidField("cursor", "is not a valid cursor")
	}
	if c.Item != itemID {
		return c, errInvalidField("cursor", "not associated with access_token: cursor not associated with access_token")
	}
	return c, nil
}
