[
  (body)
  (enum_body)
  (record_type)
  (list)
  (object)
  (heredoc)
  (arguments)
] @fold
