[
  (body)
  (enum_body)
  (record_type)
  (type_arguments)
  (constraints)
  (arguments)
  (list)
  (object)
  (closure)
  (parenthesized_expression)
] @indent.begin @indent

["}" "]" ")"] @indent.end @indent.branch @outdent
(heredoc) @indent.ignore
