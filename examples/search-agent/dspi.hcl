# The baseline is no agent: it uses no tool. Give a model that can: --model openai/gpt-4o-mini
default_model = "builtin/incontext"
