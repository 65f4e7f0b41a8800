# The only difference from ../rag: where the index is.
default_model = "builtin/incontext"

retrieval {
  store  = "env:TRAM_POSTGRES"           # postgres://USER@HOST/DATABASE, from the environment
  schema = "trams"                       # the tables of this project
  search = "exact"                       # a few passages need no HNSW index; leave it out for many
}
