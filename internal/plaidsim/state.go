package plaidsim

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// state is everything that outlives a restart. It has no accounts and transactions: these are computed from an Item's
// user, choices and data version.
type state struct {
	Version int
	Boot    uint64
	Seed    int64  // of the first start; ids and rows are computed from it, so a later start keeps it
	Key     []byte // webhook signing key, PKCS #8
	KeyID   string
	KeyMade time.Time
	Links   map[string]*linkToken
	Publics map[string]*publicToken
	Access  map[string]*accessToken
	Items   map[string]*item
	Users   map[string]*user `json:",omitempty"`
	OldKeys []retiredKey     `json:",omitempty"` // webhook keys before Key
	Hooks   []*hook          `json:",omitempty"` // webhooks not yet delivered
	HookSeq uint64           `json:",omitempty"`
}

const stateVersion = 1

// linkToken is one /link/token/create and the sessions opened with it.
type linkToken struct {
	Token    string
	Client   string
	Opaque   string // last part of the hosted URL, empty without hosted_link
	Created  time.Time
	Expires  time.Time
	Request  linkRequest
	Sessions []*session
}

type publicToken struct {
	Client string
	Item   string
	Made   time.Time
	Used   bool
}

// accessToken stays after the token's end, so that a removed Item and a rotated token give different errors.
type accessToken struct {
	Client  string
	Item    string
	Rotated bool
}

// item is one Item. A product that was neither requested nor consented to is refused with ADDITIONAL_CONSENT_REQUIRED.
type item struct {
	ID            string
	Client        string
	Token         string `json:",omitempty"` // live access token, empty until exchanged
	Institution   string // empty for numbers-only Items
	User          string // sandbox user name, which decides accounts and rows
	Custom        string `json:",omitempty"` // configuration of user_custom
	Created       time.Time
	Healed        time.Time // last time credentials were accepted
	Removed       bool      `json:",omitempty"`
	Webhook       string    `json:",omitempty"`
	Products      []string
	Consented     []string
	Unasked       bool                    `json:",omitempty"` // made by a sandbox route: nobody was asked for consent
	Owner         string                  `json:",omitempty"` // user_id of /user/create
	Chosen        []string                // masks of the shared accounts; empty means all
	Error         string                  `json:",omitempty"` // error code while broken
	AuthMethod    string                  `json:",omitempty"`
	Verification  map[string]verification `json:",omitempty"` // by mask
	Manual        *manualAccount          `json:",omitempty"`
	Typed         *manualAccount          `json:",omitempty"` // numbers typed beside credentials
	Txns          txnState
	LastHook      string                  `json:",omitempty"`
	LastHookAt    time.Time               `json:",omitzero"`
	Relinkable    bool                    `json:",omitempty"`      // a revoked permission can be given again in update mode
	Ends          time.Time               `json:",omitzero"`       // end of the consent, once announced
	DownUntil     time.Time               `json:",omitzero"`       // the institution does not answer before
	Barred        map[string]string       `json:",omitempty"`      // error code by product; anyProduct stands for all
	AccountStates map[string]accountState `json:"Fates,omitempty"` // by mask
	Opened        []openedAccount         `json:",omitempty"`      // accounts opened after the Item was made
}

// accountState holds the changes of one account since it was linked.
type accountState struct {
	Closed   bool   `json:",omitempty"` // permanently
	Revoked  bool   `json:",omitempty"` // until update mode
	Name     string `json:",omitempty"`
	Reissued int    `json:",omitempty"` // number of new account_ids
	Numbers  int    `json:",omitempty"` // number of new account numbers
	Routings int    `json:",omitempty"`
}

type openedAccount struct{ Mask, Name string }

type verification struct {
	Status string
	Since  time.Time
	Tries  int
	Unseen bool `json:",omitempty"` // an automatic deposit that stays hidden, and expires
}

// manualAccount is the account of an Item of typed numbers.
type manualAccount struct {
	Holder, Routing, Account, Subtype, Mask string
}

// txnState is the progress of an Item's transactions.
type txnState struct {
	Started time.Time      `json:",omitzero"` // zero until the product is initialised
	Days    int            `json:",omitempty"`
	Synced  bool           `json:",omitempty"` // a first sync call came
	Told    int            `json:",omitempty"` // highest data version announced by webhook
	Rounds  []time.Time    `json:",omitempty"` // refreshes that changed data
	Created []createdBatch `json:",omitempty"` // by /sandbox/transactions/create
	Shared  []string       `json:",omitempty"` // masks shared at the start
	Changes []txnChange    `json:",omitempty"` // changes of rows, oldest first
	Breaks  int            `json:",omitempty"` // pages still to break
}

// txnChange is an entry of Rounds that is no refresh.
type txnChange struct {
	Round    int // its position in Rounds, from 1
	Kind     string
	Mask     string `json:",omitempty"`
	ID       string `json:",omitempty"`
	Row      int    `json:",omitempty"` // of user_bulk_<N>, from 1
	Date     string `json:",omitempty"`
	Currency string `json:",omitempty"`
}

type createdBatch struct {
	Round int    // the refresh that adds them
	Mask  string `json:",omitempty"`
	Rows  []createdRow
}

type createdRow struct {
	Transacted, Posted, Description, Currency string
	Amount                                    json.Number
}

func newState() *state {
	return &state{Version: stateVersion, Links: map[string]*linkToken{}, Publics: map[string]*publicToken{},
		Access: map[string]*accessToken{}, Items: map[string]*item{}, Users: map[string]*user{}}
}

func loadState(ctx context.Context, store Store) (*state, error) {
	st := newState()
	if store == nil {
		return st, nil
	}
	raw, err := store.Load(ctx)
	if err != nil {
		return nil, fmt.Errorf("load simulator state: %w", err)
	}
	if raw == nil {
		return st, nil
	}
	if err := json.Unmarshal(raw, st); err != nil {
		return nil, fmt.Errorf("decode simulator state: %w", err)
	}
	if st.Version != stateVersion {
		return nil, fmt.Errorf("simulator state has version %d, this program knows %d", st.Version, stateVersion)
	}
	return st, nil
}
