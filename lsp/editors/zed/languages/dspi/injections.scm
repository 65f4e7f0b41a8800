((comment) @injection.content
 (#set! injection.language "comment"))

; Instructions of several lines are prose.
((attribute
  name: (identifier) @_name
  value: (heredoc (string_text) @injection.content))
 (#any-of? @_name "instructions" "description" "message")
 (#set! injection.language "markdown")
 (#set! injection.combined))

; The inside of a Starlark or Python tool.
((attribute
  name: (identifier) @_name
  value: (heredoc (string_text) @injection.content))
 (#any-of? @_name "code" "source")
 (#set! injection.language "python")
 (#set! injection.combined))
