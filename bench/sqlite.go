package main

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"time"

	_ "github.com/mattn/go-sqlite3"
	_ "modernc.org/sqlite"
)

const schema = `
CREATE TABLE txns (
	seq INTEGER PRIMARY KEY, id TEXT NOT NULL, plaid_id TEXT NOT NULL, employer TEXT NOT NULL, item TEXT NOT NULL, account TEXT NOT NULL,
	day INTEGER NOT NULL, amount INTEGER NOT NULL, currency TEXT NOT NULL, pending INTEGER NOT NULL, authorized TEXT, datetime TEXT, name TEXT NOT NULL,
	merchant TEXT, category TEXT, detail TEXT, channel TEXT, check_number TEXT, pending_id TEXT, first_seen INTEGER, updated INTEGER);
CREATE UNIQUE INDEX by_id ON txns (id);
CREATE INDEX by_employer ON txns (employer, day DESC, seq DESC);
CREATE INDEX by_day ON txns (day DESC, seq DESC, amount);
CREATE INDEX by_item ON txns (item, day, amount);`

const columns = "id, plaid_id, item, account, day, amount, currency, pending, authorized, datetime, name, merchant, category, detail, channel, check_number, pending_id, first_seen, updated"

// statements, by the name of the query.
var statements = map[string]string{
	"sum all":  "SELECT count(*), total(max(amount, 0)), total(min(amount, 0)) FROM (SELECT amount FROM txns WHERE day BETWEEN ? AND ?)",
	"sum item": "SELECT count(*), total(max(amount, 0)), total(min(amount, 0)) FROM (SELECT amount FROM txns WHERE item = ? AND day BETWEEN ? AND ?)",
	"newest":   "SELECT " + columns + " FROM txns WHERE employer = ? AND day BETWEEN ? AND ? ORDER BY day DESC, seq DESC LIMIT 50",
	"offset":   "SELECT " + columns + " FROM txns ORDER BY day DESC, seq DESC LIMIT 50 OFFSET ?",
	"get":      "SELECT " + columns + " FROM txns WHERE id = ?",
}

// drivers by their authors, with their names in database/sql.
var (
	drivers = []string{"mattn", "modernc"}
	known   = map[string]string{"mattn": "sqlite3", "modernc": "sqlite"}
)

type sqlite struct {
	db       *sql.DB
	prepared map[string]*sql.Stmt
}

func sqlitePath(dir string) string { return filepath.Join(dir, "plain.sqlite") }

func openSQLite(ctx context.Context, dir, driver string) (*sqlite, error) {
	db, err := sql.Open(known[driver], "file:"+sqlitePath(dir))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	for _, p := range []string{"journal_mode=WAL", "synchronous=NORMAL", "cache_size=-262144", "mmap_size=4294967296"} {
		if _, err := db.ExecContext(ctx, "PRAGMA "+p); err != nil {
			return nil, err
		}
	}
	return &sqlite{db, map[string]*sql.Stmt{}}, nil
}

// openAll opens the file with both drivers, for queries.
func openAll(ctx context.Context, dir string) (all []*sqlite, err error) {
	for _, driver := range drivers {
		s, err := openSQLite(ctx, dir, driver)
		if err != nil {
			return nil, err
		}
		if err := s.prepare(ctx); err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

func (s *sqlite) prepare(ctx context.Context) (err error) {
	for name, text := range statements {
		if s.prepared[name], err = s.db.PrepareContext(ctx, text); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// fill loads the data, 50,000 rows a transaction.
func (s *sqlite) fill(ctx context.Context, d *data) error {
	if _, err := s.db.ExecContext(ctx, schema); err != nil {
		return err
	}
	now := time.Now().UnixMicro()
	tx, n := (*sql.Tx)(nil), 0
	for _, page := range d.pages {
		for _, f := range page {
			if tx == nil {
				var err error
				if tx, err = s.db.BeginTx(ctx, nil); err != nil {
					return err
				}
			}
			_, err := tx.ExecContext(ctx, "INSERT INTO txns VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", f.seq, sqliteID(f.seq), f.PlaidTransactionID, employer(f.item), d.itemIDs[f.item], f.AccountID,
				f.day, f.Amount.Minor, f.Amount.Currency, f.Pending, f.AuthorizedDate, f.Datetime, f.Name, f.MerchantName, f.Category, f.CategoryDetailed, f.PaymentChannel, f.CheckNumber, f.PendingTransactionID, now, now)
			if err != nil {
				return err
			}
			if n++; n%50_000 == 0 {
				if err := tx.Commit(); err != nil {
					return err
				}
				tx = nil
			}
		}
	}
	if tx != nil {
		if err := tx.Commit(); err != nil {
			return err
		}
	}
	_, err := s.db.ExecContext(ctx, "ANALYZE; PRAGMA wal_checkpoint(TRUNCATE)")
	return err
}

// sqliteID is as long and as random as our ids.
func sqliteID(seq int) string {
	x := uint64(seq) * 0x9e3779b97f4a7c15
	return fmt.Sprintf("%016x%08x", x^x>>29, uint32(seq)*2654435761)
}

type sums struct{ count, debits, credits int64 }

func (s *sqlite) sum(ctx context.Context, name string, args ...any) (out sums, err error) {
	var debits, credits float64
	err = s.prepared[name].QueryRowContext(ctx, args...).Scan(&out.count, &debits, &credits)
	out.debits, out.credits = int64(debits), -int64(credits)
	return out, err
}

// rows reads a query's rows and adds up the amounts, for comparison.
func (s *sqlite) rows(ctx context.Context, name string, args ...any) (n int, sum int64, err error) {
	rows, err := s.prepared[name].QueryContext(ctx, args...)
	if err != nil {
		return 0, 0, err
	}
	defer rows.Close()
	var texts [15]sql.NullString
	var day, amount, pending, first, updated int64
	for rows.Next() {
		err := rows.Scan(&texts[0], &texts[1], &texts[2], &texts[3], &day, &amount, &texts[4], &pending, &texts[5], &texts[6], &texts[7], &texts[8], &texts[9], &texts[10], &texts[11], &texts[12], &texts[13], &first, &updated)
		if err != nil {
			return 0, 0, err
		}
		n++
		sum += amount
	}
	return n, sum, rows.Err()
}
