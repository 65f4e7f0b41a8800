(source_file) @local.scope
(body) @local.scope
(record_type) @local.scope
(let_expression) @local.scope

(block label: (identifier) @local.definition)
(enum name: (identifier) @local.definition.type)
(enum_member name: (identifier) @local.definition.enum)
(variable name: (identifier) @local.definition.var)
(type_alias name: (identifier) @local.definition.type)
(import alias: (identifier) @local.definition.import)
(let name: (identifier) @local.definition.var)
(let_expression name: (identifier) @local.definition.var)
(field name: (identifier) @local.definition.field)

(identifier) @local.reference
