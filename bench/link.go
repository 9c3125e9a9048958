package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/bankctl/bankctl/internal/client"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/page"
)

// ask calls the simulator with bankd's keys.
func ask(simulator, path string, body map[string]any) (map[string]json.RawMessage, error) {
	b, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequest("POST", simulator+path, bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	for k, v := range map[string]string{"Content-Type": "application/json", "PLAID-CLIENT-ID": "simulated", "PLAID-SECRET": "simulated"} {
		req.Header.Set(k, v)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	reply := map[string]json.RawMessage{}
	if err := json.NewDecoder(resp.Body).Decode(&reply); err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", path, reply["error_message"])
	}
	return reply, nil
}

// publicToken makes an Item with that many transactions over two years; for 0 an Item without the product.
func publicToken(simulator string, rows int) (string, error) {
	body := map[string]any{"institution_id": "ins_109508", "initial_products": []string{"auth", "identity"}}
	if rows > 0 {
		body["initial_products"] = []string{"auth", "identity", "transactions"}
		body["options"] = map[string]any{
			"override_username": fmt.Sprintf("user_bulk_%d", rows), "override_password": "pass_good",
			"transactions": map[string]any{"days_requested": 730},
		}
	}
	return text(simulator, "/sandbox/public_token/create", "public_token", body)
}

func text(simulator, path, name string, body map[string]any) (s string, err error) {
	reply, err := ask(simulator, path, body)
	if err != nil {
		return "", err
	}
	return s, json.Unmarshal(reply[name], &s)
}

// exchange links an Item for each of the items' employers.
func exchange(ctx context.Context, c *client.Client, simulator string, rows int) error {
	for i := range items {
		token, err := publicToken(simulator, rows)
		if err != nil {
			return err
		}
		if _, err := c.Exchange(ctx, connection.ExchangeParams{PublicToken: token, UserID: "bench", EmployerID: employer(i), AllowDuplicate: true}); err != nil {
			return fmt.Errorf("exchange: %w", err)
		}
	}
	return nil
}

// link lets bankd make its store, with ten connections and no transactions, and reads their ids. It returns the
// client's credentials.
func (p programs) link(ctx context.Context, d *data, dir string) error {
	sim, err := p.simulator()
	if err != nil {
		return err
	}
	defer func() { _ = sim.stop() }()
	bankd, err := p.daemon(dir, sim.field("url"))
	if err != nil {
		return err
	}
	defer func() { _ = bankd.stop() }()
	c, err := admin(ctx, dir)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := exchange(ctx, c, sim.field("url"), 0); err != nil {
		return err
	}
	d.client, d.secret = c.ClientID, c.Secret
	owner := client.New(socketPath(dir))
	defer owner.Close()
	tenants, _, err := owner.ListTenants(ctx, page.Request{Page: 1, Limit: 1})
	if err != nil || len(tenants) != 1 {
		return fmt.Errorf("tenants: %d, %w", len(tenants), err)
	}
	d.tenant = tenants[0].ID
	return d.takeNames(ctx, c)
}

func (d *data) takeNames(ctx context.Context, c *client.Client) error {
	for i := range employers {
		found, _, err := c.ListConnections(ctx, connection.Query{EmployerID: employer(i)}, page.Request{Page: 1, Limit: 10})
		if err != nil || len(found) != items/employers || len(found[0].Accounts) < accounts {
			return fmt.Errorf("connections of an employer: %d, %w", len(found), err)
		}
		for n, conn := range found {
			item := i + n*employers
			d.connections[item], d.itemIDs[item] = conn.ID, conn.ItemID
			for k := range accounts {
				d.accountIDs[item][k] = conn.Accounts[k].PlaidAccountID
			}
		}
	}
	return nil
}

// syncPage saves a page of 500 rows as the simulator sends it.
func syncPage(simulator, dir string) (path string, err error) {
	public, err := publicToken(simulator, 5000)
	if err != nil {
		return "", err
	}
	access, err := text(simulator, "/item/public_token/exchange", "access_token", map[string]any{"public_token": public})
	if err != nil {
		return "", err
	}
	for range 100 { // the simulator may not be ready at first
		reply, err := ask(simulator, "/transactions/sync", map[string]any{"access_token": access, "count": pageRows})
		if err != nil {
			return "", err
		}
		if len(reply["added"]) < 1000 {
			time.Sleep(50 * time.Millisecond)
			continue
		}
		b, err := json.Marshal(reply)
		if err != nil {
			return "", err
		}
		path = filepath.Join(dir, "page.json")
		return path, os.WriteFile(path, b, 0o600)
	}
	return "", errors.New("the simulator has no transactions")
}
