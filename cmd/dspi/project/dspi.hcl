# Settings of this project, for every .dsp file in the folder and below.
# `dspi config` shows each of them, and where it comes from.

# The model that answers where nothing else names one: a model that the program
# declares, or provider/name. Without it the built-in baseline answers.
# default_model = "openai/gpt-4o-mini"
