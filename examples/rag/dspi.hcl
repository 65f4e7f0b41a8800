# Nothing is asked of a network: the baseline answers, and the index is a file in .dspi/index.
default_model = "builtin/incontext"
