package universe

// Address is the value of a setting that names a store: `sqlite:PATH`,
// `redis://host`. What stands before its first colon is one of the Choices, or it
// is a Word that is one of them.
const Address ValueKind = "address"

// Words are the addresses that are one word, without a colon.
var Words = []string{"memory", "off"}

// Size is the value of a setting that says how much is kept: a number with `kB`,
// `MB`, `GB` or `TB`.
const Size ValueKind = "size"

// Period is the value of a setting that says how long something is kept: a
// number with `h`, `d` or `w`, or `off`.
const Period ValueKind = "period"

// ProjectFile is the name of the file with a project's settings.
const ProjectFile = "dspi.hcl"

// Project is what a project's settings file holds. parser/config reads files by
// this table, `dspi config` shows it, and the reference page is made from it.
var Project = Block{
	Name: ProjectFile,
	Doc:  "Settings of a project, in HCL: read from the folder of the .dsp file or the nearest one above.",
	Settings: []Setting{
		{Name: "default_model", Kind: Text, Doc: "The model that answers where nothing else names one: a name declared in the program, or provider/name.", Default: "builtin/incontext", Fixed: true},
		{Name: "backend", Kind: Choice, Choices: []string{"native", "python"}, Doc: "Which runtime does the work of steps where neither they nor their program say: dspi itself, or DSPy in Python for the modules that it has.", Default: "native", Fixed: true},
	},
	Blocks: []Block{
		{Name: "cache", Doc: "Where answers of models are kept, so that the same call is paid once.", Settings: []Setting{
			{Name: "url", Kind: Address, Choices: []string{"sqlite", "redis", "rediss", "memory", "off"}, Doc: "`sqlite:user` for one per user, `sqlite:PATH`, `redis://host:port/number`, `memory` for one that ends with the process, or `off`.", Default: "sqlite:user", Fixed: true, Secret: true},
			{Name: "ttl", Kind: Period, Doc: "How long an answer is kept: `12h`, `30d`, `8w`, or `off` for as long as there is room.", Default: "30d", Fixed: true},
			{Name: "max_size", Kind: Size, Doc: "How much is kept: `100MB`, `2GB`. What was not used for longest goes first.", Default: "512MB", Fixed: true},
		}},
		{Name: "store", Doc: "Where runs and their calls are kept, for `dspi show`.", Settings: []Setting{
			{Name: "url", Kind: Address, Choices: []string{"sqlite"}, Doc: "`sqlite:PATH`, relative to the folder of this file.", Default: "sqlite:.dspi/dspi.db", Fixed: true, Secret: true},
			{Name: "history", Kind: Period, Doc: "How long runs are kept: `12h`, `30d`, `8w`, or `off`.", Default: "30d", Fixed: true},
		}},
		{Name: "retrieval", Doc: "Where the indexes of retrievers are kept. A program does not change when they move.", Settings: []Setting{
			{Name: "store", Kind: Address, Choices: []string{"sqlite", "postgres", "postgresql", "env"}, Doc: "`sqlite:FOLDER`, relative to the folder of this file, `postgres://USER@HOST/DATABASE` with the extension pgvector, or `env:NAME` for an environment variable that holds such an address. A password may stand in PGPASSWORD or ~/.pgpass.", Default: "sqlite:.dspi/index", Fixed: true, Secret: true},
			{Name: "schema", Kind: Text, Doc: "The schema of the tables in Postgres: one for each project that shares a database.", Default: "dspi", Fixed: true},
			{Name: "distance", Kind: Choice, Choices: []string{"cosine", "dot", "l2"}, Doc: "How Postgres compares vectors, which have the length 1.", Default: "cosine", Fixed: true},
			{Name: "search", Kind: Choice, Choices: []string{"hnsw", "exact"}, Doc: "How Postgres finds the nearest vectors: through an HNSW index, which may miss a few, or by comparing all.", Default: "hnsw", Fixed: true},
			{Name: "follow", Kind: Boolean, Doc: "Whether a run brings an index up to date when its corpus has changed. With false only `dspi index` does, and a run needs no corpus.", Default: "true", Fixed: true},
		}},
		{Name: "telemetry", Doc: "Where runs are sent as OpenTelemetry spans; `OTEL_EXPORTER_OTLP_ENDPOINT` in the environment does the same.", Settings: []Setting{
			{Name: "otlp", Kind: Text, Doc: "The URL of a collector that takes OTLP over HTTP: `http://localhost:4318`.", Default: "none", Fixed: true},
			{Name: "content", Kind: Boolean, Doc: "Sends messages, replies, and what tools take and give, too.", Default: "false", Fixed: true},
		}},
		{Name: "python", Doc: "The Python that runs the steps which need one.", Settings: []Setting{
			{Name: "interpreter", Kind: Text, Doc: "The program to start, relative to this file.", Default: "that of a virtual environment, or python3", Fixed: true},
			{Name: "workers", Kind: Integer, Doc: "How many processes of it there are at most; each does many steps at once.", Default: "2", Min: bound(1), Max: bound(256), Fixed: true},
		}},
	},
	Example: `default_model = "builtin/incontext"`,
}
