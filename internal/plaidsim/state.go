package plaidsim

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// state is everything that outlives a restart. Accounts and transactions are
// not in it: they follow from an Item's user, choices and data version.
type state struct {
	Version int
	Boot    uint64
	Seed    int64  // of the first start: what belongs to an Item follows from it, so a later start may not change it
	Key     []byte // webhook signing key, PKCS #8
	KeyID   string
	KeyMade time.Time
	Links   map[string]*linkToken
	Publics map[string]*publicToken
	Access  map[string]*accessToken
	Items   map[string]*item
	OldKeys []retiredKey `json:",omitempty"` // webhook keys before Key
	Hooks   []*hook      `json:",omitempty"` // webhooks on their way
	HookSeq uint64       `json:",omitempty"`
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

// accessToken outlives its use as a tombstone, so that a removed Item and a
// rotated token are told apart.
type accessToken struct {
	Client  string
	Item    string
	Rotated bool
}

// item is one Item. Products that were neither asked for nor consented to are
// refused with ADDITIONAL_CONSENT_REQUIRED.
type item struct {
	ID           string
	Client       string
	Token        string `json:",omitempty"` // live access token, empty until exchanged
	Institution  string // empty for numbers-only Items
	User         string // sandbox user name, decides accounts and rows
	Custom       string `json:",omitempty"` // configuration of user_custom
	Created      time.Time
	Healed       time.Time // last time that credentials were accepted
	Removed      bool      `json:",omitempty"`
	Webhook      string    `json:",omitempty"`
	Products     []string
	Consented    []string
	Chosen       []string                // masks of the accounts shared; empty means all
	Error        string                  `json:",omitempty"` // error code while broken
	AuthMethod   string                  `json:",omitempty"`
	Verification map[string]verification `json:",omitempty"` // by mask
	Manual       *manualAccount          `json:",omitempty"`
	Typed        *manualAccount          `json:",omitempty"` // numbers typed beside credentials
	Txns         txnState
	LastHook     string            `json:",omitempty"`
	LastHookAt   time.Time         `json:",omitzero"`
	Relinkable   bool              `json:",omitempty"` // a revoked permission can be given again in update mode
	Ends         time.Time         `json:",omitzero"`  // when the consent ends, once that was announced
	DownUntil    time.Time         `json:",omitzero"`  // until then its institution does not answer
	Barred       map[string]string `json:",omitempty"` // error code by product, under anyProduct for all
	Fates        map[string]fate   `json:",omitempty"` // by mask
	Opened       []openedAccount   `json:",omitempty"` // accounts that came to be after the Item
}

// fate is what has become of one account since it was linked.
type fate struct {
	Closed   bool   `json:",omitempty"` // for good
	Revoked  bool   `json:",omitempty"` // until update mode
	Name     string `json:",omitempty"`
	Reissued int    `json:",omitempty"` // how often it got another account_id
	Numbers  int    `json:",omitempty"` // how often its account number changed
	Routings int    `json:",omitempty"`
}

type openedAccount struct{ Mask, Name string }

type verification struct {
	Status string
	Since  time.Time
	Tries  int
	Unseen bool `json:",omitempty"` // an automatic deposit that never shows, and expires
}

// manualAccount is the account of an Item made from typed numbers.
type manualAccount struct {
	Holder, Routing, Account, Subtype, Mask string
}

// txnState is where an Item's transactions stand.
type txnState struct {
	Started time.Time      `json:",omitzero"` // zero until Transactions is initialised
	Days    int            `json:",omitempty"`
	Synced  bool           `json:",omitempty"` // a first sync call was made
	Told    int            `json:",omitempty"` // highest data version announced by webhook
	Rounds  []time.Time    `json:",omitempty"` // refreshes that changed data
	Created []createdBatch `json:",omitempty"` // /sandbox/transactions/create
	Shared  []string       `json:",omitempty"` // masks that were shared at the start
	Changes []txnChange    `json:",omitempty"` // what happened to rows, oldest first
	Breaks  int            `json:",omitempty"` // pages that are still to break
}

// txnChange is one entry of Rounds that is not a refresh.
type txnChange struct {
	Round    int // its place in Rounds, from 1
	Kind     string
	Mask     string `json:",omitempty"`
	ID       string `json:",omitempty"`
	Row      int    `json:",omitempty"` // of user_bulk_<N>, from 1
	Date     string `json:",omitempty"`
	Currency string `json:",omitempty"`
}

type createdBatch struct {
	Round int    // the refresh that brings them
	Mask  string `json:",omitempty"`
	Rows  []createdRow
}

type createdRow struct {
	Transacted, Posted, Description, Currency string
	Amount                                    json.Number
}

func newState() *state {
	return &state{Version: stateVersion, Links: map[string]*linkToken{}, Publics: map[string]*publicToken{},
		Access: map[string]*accessToken{}, Items: map[string]*item{}}
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
