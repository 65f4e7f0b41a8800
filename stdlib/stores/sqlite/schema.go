package sqlite

// schema is the scripts that make the tables, in the order of their versions. What
// is one column here is what somebody may look for or sum; the rest is JSON. Times
// are microseconds since 1970, in UTC; durations are nanoseconds.
var schema = []string{`
CREATE TABLE facts (
	name  TEXT PRIMARY KEY,
	value
) WITHOUT ROWID;

CREATE TABLE writers (
	id   TEXT PRIMARY KEY,
	host TEXT NOT NULL,
	pid  INTEGER NOT NULL,
	seen INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE runs (
	id            TEXT PRIMARY KEY,
	program       TEXT NOT NULL,
	file          TEXT NOT NULL,
	version       TEXT NOT NULL,
	models        TEXT NOT NULL,
	status        TEXT NOT NULL,
	writer        TEXT NOT NULL,
	started       INTEGER NOT NULL,
	ended         INTEGER,
	inputs        TEXT NOT NULL,
	outputs       TEXT NOT NULL,
	error         TEXT,
	calls         INTEGER NOT NULL,
	input_tokens  INTEGER NOT NULL,
	output_tokens INTEGER NOT NULL,
	usd           REAL,
	usage         TEXT NOT NULL
);
CREATE INDEX runs_by_start ON runs (started);

CREATE TABLE steps (
	run      TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
	number   INTEGER NOT NULL,
	address  TEXT NOT NULL,
	element  INTEGER,
	status   TEXT NOT NULL,
	started  INTEGER NOT NULL,
	duration INTEGER NOT NULL,
	inputs   TEXT NOT NULL,
	outputs  TEXT NOT NULL,
	error    TEXT,
	PRIMARY KEY (run, number)
);

CREATE TABLE calls (
	run           TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
	number        INTEGER NOT NULL,
	step          INTEGER NOT NULL,
	address       TEXT NOT NULL,
	model         TEXT NOT NULL,
	started       INTEGER NOT NULL,
	duration      INTEGER NOT NULL,
	input_tokens  INTEGER,
	output_tokens INTEGER,
	usd           REAL,
	cached        INTEGER NOT NULL,
	request       TEXT NOT NULL,
	reply         TEXT,
	error         TEXT,
	attempts      TEXT,
	misfit        TEXT,
	repairs       TEXT,
	PRIMARY KEY (run, number)
);
`,
	`ALTER TABLE calls ADD COLUMN choices TEXT;`,
	// An entry of the journal may be there before its run is. What is looked for is
	// the whole key, so it is the order of the table.
	`
ALTER TABLE runs ADD COLUMN origin TEXT;

CREATE TABLE journal (
	run     TEXT NOT NULL,
	path    TEXT NOT NULL,
	hash    BLOB NOT NULL,
	nth     INTEGER NOT NULL,
	kind    TEXT NOT NULL,
	written INTEGER NOT NULL,
	data    BLOB NOT NULL,
	PRIMARY KEY (run, path, hash, nth)
) WITHOUT ROWID;
`,
	`
ALTER TABLE steps ADD COLUMN path TEXT NOT NULL DEFAULT '';
ALTER TABLE steps ADD COLUMN parent INTEGER NOT NULL DEFAULT 0;
ALTER TABLE steps ADD COLUMN tools TEXT;
ALTER TABLE steps ADD COLUMN asserted TEXT;
`,
}
