package ledger

import "sync/atomic"

// aliases maps former ids of Plaid's for an item's accounts to the present ones: a bank that is migrated gives its
// accounts out under other ids. An account number belongs to one of Plaid's ids for ever; accounts of several numbers
// are read as one, under the present id. It is replaced as a whole, so that a large update may read it without a lock.
type aliases struct {
	now atomic.Pointer[map[string]string]
}

// of returns the present id of an account.
func (a *aliases) of(id string) string {
	if a == nil {
		return id
	}
	if m := a.now.Load(); m != nil {
		if present, ok := (*m)[id]; ok {
			return present
		}
	}
	return id
}

// any reports whether some account has a former id.
func (a *aliases) any() bool {
	if a == nil {
		return false
	}
	m := a.now.Load()
	return m != nil && len(*m) > 0
}

// SetAliases tells the ledger which of Plaid's former ids of a connection's accounts stands for which present one. The
// caller keeps them: the ledger is told again after each start.
func (l *Ledger) SetAliases(tenant, connectionID string, present map[string]string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.tenants[tenant]
	if b == nil {
		var err error
		if b, err = l.newTenant(tenant); err != nil {
			return err
		}
		l.tenants[tenant] = b
	}
	b.aliasesOf(connectionID).now.Store(&present)
	return nil
}

func (b *tenantItems) aliasesOf(connectionID string) *aliases {
	a := b.aliases[connectionID]
	if a == nil {
		a = &aliases{}
		b.aliases[connectionID] = a
	}
	return a
}

// accountID is Plaid's present id of an account.
func (it *item) accountID(no uint16) string { return it.alias.of(it.Head.Accounts[no]) }

// selectAccount selects an account by any of Plaid's ids for it; it reports whether the item has it.
func (c *selectedItem) selectAccount(id string) bool {
	if !c.alias.any() {
		no, ok := c.accountNo[id]
		c.account = int(no)
		return ok
	}
	present, found := c.alias.of(id), 0
	several := make([]bool, len(c.Head.Accounts))
	for no, a := range c.Head.Accounts {
		if several[no] = c.alias.of(a) == present; several[no] {
			c.account = no
			found++
		}
	}
	if found > 1 {
		c.several = several
	}
	return found > 0
}

// isAccount reports whether an account is selected.
func (c *selectedItem) isAccount(no uint16) bool {
	return c.account < 0 || int(no) == c.account || c.several != nil && c.several[no]
}
