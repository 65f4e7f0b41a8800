// Package pgvector keeps an index of passages in a Postgres with the extension
// pgvector.
//
//	Open     connects, and makes the tables where they are missing (schema.go)
//	Options  the index's name, and how its vectors are compared and searched
//	Store    an index.Store (write.go, search.go)
//	Error    why Postgres cannot be used, and the way out (errors.go)
//
// An index is three tables of one schema. NAME holds the passages and their vectors,
// NAME_pending vectors of passages that are not written yet, and NAME_word, for each
// word, the passages it stands in (words.go): Postgres has no BM25 of its own. The
// tables state and file say of all indexes of the schema what they are.
package pgvector

import (
	"context"
	"fmt"
	"hash/fnv"
	"net"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Distance is how two vectors are compared.
type Distance string

// The distances. Vectors have the length 1, so that all of them give one order; they
// differ in the scores.
const (
	Cosine Distance = "cosine" // the score is the cosine
	Dot    Distance = "dot"    // the score is the product
	L2     Distance = "l2"     // the score is 1/(1+distance)
)

// operator and class are how Postgres calls a distance.
func (d Distance) operator() string {
	return map[Distance]string{Cosine: "<=>", Dot: "<#>", L2: "<->"}[d]
}

func (d Distance) class() string {
	return map[Distance]string{Cosine: "vector_cosine_ops", Dot: "vector_ip_ops", L2: "vector_l2_ops"}[d]
}

// score makes a score of what the operator gives: more is better.
func (d Distance) score(x float64) float64 {
	switch {
	case x != x: // the cosine of a vector of zeros
		return 0
	case d == Dot:
		return -x
	case d == L2:
		return 1 / (1 + x)
	}
	return 1 - x
}

// Options say how an index lies in Postgres. Name is the only one that has no
// default.
type Options struct {
	Name     string   // of the index: small letters, digits and underscores
	Schema   string   // "" for DefaultSchema
	Distance Distance // "" for Cosine
	// Exact compares a query with all vectors. Else they are searched through an HNSW
	// index (Malkov and Yashunin, 2018), which finds nearly all of the nearest and
	// compares few.
	Exact bool
	// Words and Vectors say what is searched.
	Words, Vectors bool
}

// DefaultSchema is the schema of the tables where none is named.
const DefaultSchema = "dspi"

// maxHNSW is how many numbers a vector may have that an HNSW index holds.
const maxHNSW = 2000

// reach is how many candidates a search through an HNSW index keeps, at least.
const reach = 100

// patience is how long a connection may take.
const patience = 10 * time.Second

// Store is an index in Postgres.
type Store struct {
	o    Options
	name string // for people
	pool *pgxpool.Pool
	lock int64
}

// Open connects to the Postgres at url, and makes the tables of the index where they
// are missing. The error is an *Error, or that of ctx.
func Open(ctx context.Context, url string, o Options) (*Store, error) {
	if o.Schema == "" {
		o.Schema = DefaultSchema
	}
	if o.Distance == "" {
		o.Distance = Cosine
	}
	if o.Distance.operator() == "" {
		return nil, &Error{Text: fmt.Sprintf("no distance is called %q", o.Distance), Hint: "it is cosine, dot or l2"}
	}
	c, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, &Error{Text: "the address of the Postgres cannot be read", Hint: "it is like postgres://USER@HOST:5432/DATABASE"} // not err: it quotes the address
	}
	h := fnv.New64a()
	fmt.Fprintf(h, "dspi index %s.%s", o.Schema, o.Name)
	x := &Store{o: o, name: shown(c.ConnConfig), lock: int64(h.Sum64())}
	c.ConnConfig.ConnectTimeout = patience
	if c.ConnConfig.RuntimeParams["application_name"] == "" {
		c.ConnConfig.RuntimeParams["application_name"] = "dspi"
	}
	c.ConnConfig.OnNotice = nil
	c.AfterConnect = connected
	if x.pool, err = pgxpool.NewWithConfig(ctx, c); err != nil {
		return nil, x.explain(err)
	}
	extended, err := x.prepare(ctx)
	if err != nil {
		x.pool.Close()
		return nil, x.explain(err)
	}
	if extended {
		x.pool.Reset() // connections of before do not know the type vector
	}
	return x, nil
}

// shown names a database without what is secret: `postgres://host:5432/wiki`.
func shown(c *pgx.ConnConfig) string {
	host := c.Host
	if len(host) == 0 || host[0] == '/' {
		return "postgres:///" + c.Database + "?host=" + host
	}
	return "postgres://" + net.JoinHostPort(host, strconv.Itoa(int(c.Port))) + "/" + c.Database
}

// connected makes a connection ready: it teaches it the type vector.
func connected(ctx context.Context, conn *pgx.Conn) error {
	// Compiling a scan takes longer than most of them.
	if _, err := conn.Exec(ctx, "SELECT set_config('jit', 'off', false), set_config('hnsw.ef_search', $1, false)", strconv.Itoa(reach)); err != nil {
		return err
	}
	var oid uint32
	err := conn.QueryRow(ctx, "SELECT COALESCE(to_regtype('vector')::oid, 0)").Scan(&oid)
	if err != nil || oid == 0 {
		return err
	}
	conn.TypeMap().RegisterType(&pgtype.Type{Name: "vector", OID: oid, Codec: codec{}})
	return nil
}

// Name returns the address without what is secret in it, and the table.
func (x *Store) Name() string { return x.name + " (table " + x.o.Schema + "." + x.o.Name + ")" }

// Close closes the connections.
func (x *Store) Close() error {
	x.pool.Close()
	return nil
}

// table returns the name of a table of the index as it stands in SQL.
func (x *Store) table(suffix string) string {
	return pgx.Identifier{x.o.Schema, x.o.Name + suffix}.Sanitize()
}

// common returns the name of a table of the schema as it stands in SQL.
func (x *Store) common(name string) string { return pgx.Identifier{x.o.Schema, name}.Sanitize() }

// Lock takes an advisory lock of the index, which ends with the connection: who is
// killed leaves none.
func (x *Store) Lock(ctx context.Context, waiting func()) (func(), error) {
	conn, err := x.pool.Acquire(ctx)
	if err != nil {
		return nil, x.explain(err)
	}
	var free bool
	err = conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", x.lock).Scan(&free)
	if err == nil && !free {
		waiting()
		_, err = conn.Exec(ctx, "SELECT pg_advisory_lock($1)", x.lock)
	}
	if err != nil {
		conn.Release()
		return nil, x.explain(err)
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		if _, err := conn.Exec(ctx, "SELECT pg_advisory_unlock($1)", x.lock); err != nil {
			_ = conn.Conn().Close(ctx) // the lock ends with it
		}
		conn.Release()
	}, nil
}
