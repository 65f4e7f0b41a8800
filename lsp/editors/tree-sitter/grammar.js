/**
 * The grammar of dspi (.dsp files) for tree-sitter.
 *
 * It accepts what the parser of `dspi check` accepts: items of one shape, in
 * which what follows a name decides, types, and the expressions of expr-lang.
 * Which kinds of block there are and what may stand in them is the checker's
 * business, not the grammar's: a module of tomorrow needs no new parser.
 *
 * src/scanner.c decides what a grammar cannot: which line ends end an item,
 * whether a `{` stands on the line of its block, and where a heredoc ends.
 */

// Precedence of operators, weakest first, as in expr-lang.
const PREC = {
  let: -2,
  conditional: -1,
  pipe: 1,
  or: 10,
  and: 15,
  compare: 20,
  range: 25,
  add: 30,
  not: 50,
  multiply: 60,
  unary: 90,
  power: 100,
  coalesce: 500,
  postfix: 600,
};

// commaSeparated is rules with commas between them; one may trail.
function commaSeparated(rule) {
  return seq(rule, repeat(seq(',', rule)), optional(','));
}

// items is items with line ends, commas or arrows between them.
function items(delimiter, item) {
  return seq(
    repeat(delimiter),
    optional(seq(item, repeat(seq(repeat1(delimiter), item)), repeat(delimiter))),
  );
}

module.exports = grammar({
  name: 'dspi',

  word: $ => $.identifier,

  extras: $ => [/[ \t\r\n\f\v\uFEFF]/, $.comment],

  externals: $ => [
    $._newline,
    $._block_open,
    $.heredoc_start,
    $._heredoc_text,
    $.heredoc_end,
    $._recovering,
  ],

  supertypes: $ => [$.expression, $.type],

  conflicts: $ => [
    [$.type_alias, $._name],
    [$.let, $._name],
    [$.import, $._name],
    [$.enum, $._name],
    [$.variable, $._name],
  ],

  rules: {
    source_file: $ => items($._delimiter, $._item),

    _delimiter: $ => choice($._newline, ',', $.arrow),

    arrow: _ => '->',

    body: $ => seq(alias($._block_open, '{'), items($._delimiter, $._item), '}'),

    _item: $ => choice(
      $.attribute, $.let, $.field, $.block, $.enum, $.variable, $.type_alias, $.import,
    ),

    // name = value
    attribute: $ => seq(field('name', $._name), '=', field('value', $.expression)),

    // let name = value
    let: $ => seq('let', field('name', $._name), '=', field('value', $.expression)),

    // name?: type = default "description"
    field: $ => seq(
      field('name', $._name),
      optional(seq(
        optional('?'), ':', field('type', $.type),
        optional(seq('=', field('default', $.expression))),
      )),
      optional(field('description', $._text)),
    ),

    // kind name { … }, kind { … }, imported.program name { … }
    block: $ => seq(
      field('kind', choice($._name, $.qualified_name)),
      repeat(field('label', $._label)),
      field('body', $.body),
    ),

    qualified_name: $ => seq(
      field('import', $._name), '.', field('name', $.identifier),
    ),

    _label: $ => choice($.identifier, $.string),

    // enum NAME { member = "shown" "meaning" }
    enum: $ => prec.dynamic(1, seq('enum', field('name', $._label), field('body', $.enum_body))),

    enum_body: $ => seq(
      alias($._block_open, '{'), items(choice($._newline, ','), $.enum_member), '}',
    ),

    enum_member: $ => seq(
      field('name', $._name),
      optional(seq('=', field('shown', $._text))),
      optional(field('description', $._text)),
    ),

    // variable name: type { … }
    variable: $ => seq(
      'variable', field('name', $._label), ':', field('type', $.type), field('body', $.body),
    ),

    // type NAME = type
    type_alias: $ => seq('type', field('name', $.identifier), '=', field('type', $.type)),

    // import "path" as name
    import: $ => prec.dynamic(1, seq(
      'import', field('path', $._text), optional(seq('as', field('alias', $._name))),
    )),

    // The words that begin some items are names everywhere else. Where both readings
    // fit (`import "x"` could be a field with a description), the items win.
    _name: $ => choice(
      $.identifier,
      alias(choice('let', 'enum', 'variable', 'type', 'import'), $.identifier),
    ),

    // Types

    type: $ => choice(
      $.union_type, $.optional_type, $.named_type, $.record_type, $.literal_type, $.parenthesized_type,
    ),

    union_type: $ => choice(
      prec.left(1, seq($.type, '|', $.type)),
      prec.left(1, seq('|', $.type)),
    ),

    optional_type: $ => prec(2, seq($.type, token('?'))),

    parenthesized_type: $ => seq('(', $.type, ')'),

    named_type: $ => prec.right(seq(
      field('name', choice($.identifier, alias($._qualified_type, $.qualified_name))),
      optional(field('arguments', $.type_arguments)),
      optional(field('constraints', $.constraints)),
    )),

    _qualified_type: $ => seq(field('import', $.identifier), '.', field('name', $.identifier)),

    type_arguments: $ => seq('[', commaSeparated($.type), ']'),

    constraints: $ => seq('(', optional(commaSeparated($.constraint)), ')'),

    constraint: $ => seq(
      optional(seq(field('name', $.identifier), '=')), field('value', $.expression),
    ),

    record_type: $ => seq('{', items(choice($._newline, ','), $.field), '}'),

    literal_type: $ => choice($._text, $.number, seq('-', $.number), $.boolean, $.null),

    // Expressions

    expression: $ => choice(
      $.let_expression, $.conditional_expression, $.pipe_expression,
      $.binary_expression, $.unary_expression, $.call_expression, $.method_call,
      $.member_expression, $.index_expression, $.slice_expression,
      $.parenthesized_expression, $.list, $.object, $._text, $.number, $.boolean, $.null,
      $.identifier,
    ),

    let_expression: $ => prec.right(PREC.let, seq(
      'let', field('name', $.identifier), '=', field('value', $.expression), ';',
      field('body', $.expression),
    )),

    // Only in brackets: elsewhere a name before a brace begins a block.
    if_expression: $ => seq(
      'if', field('condition', $.expression),
      '{', field('then', $.expression), '}',
      'else',
      choice(
        field('else', $.if_expression),
        seq('{', field('else', $.expression), '}'),
      ),
    ),

    conditional_expression: $ => prec.right(PREC.conditional, seq(
      field('condition', $.expression), '?',
      optional(field('then', $.expression)), ':',
      field('else', $.expression),
    )),

    pipe_expression: $ => prec.left(PREC.pipe, seq(
      field('left', $.expression), '|', field('right', $.call_expression),
    )),

    binary_expression: $ => {
      const rows = [
        [PREC.or, choice('or', '||')],
        [PREC.and, choice('and', '&&')],
        [PREC.compare, choice(
          '==', '!=', '<', '>', '<=', '>=', 'in', 'matches', 'contains', 'startsWith', 'endsWith',
          seq('not', choice('in', 'matches', 'contains', 'startsWith', 'endsWith')),
        )],
        [PREC.range, '..'],
        [PREC.add, choice('+', '-')],
        [PREC.multiply, choice('*', '/', '%')],
        [PREC.coalesce, '??'],
      ];
      const binary = ([level, operator]) => prec.left(level, seq(
        field('left', $.expression), field('operator', operator), field('right', $.expression),
      ));
      return choice(
        ...rows.map(binary),
        prec.right(PREC.power, seq(
          field('left', $.expression), field('operator', choice('**', '^')), field('right', $.expression),
        )),
      );
    },

    unary_expression: $ => choice(
      prec(PREC.not, seq(field('operator', choice('not', '!')), field('operand', $.expression))),
      prec(PREC.unary, seq(field('operator', choice('-', '+')), field('operand', $.expression))),
    ),

    call_expression: $ => prec(PREC.postfix, seq(
      field('function', $.identifier), field('arguments', $.arguments),
    )),

    method_call: $ => prec(PREC.postfix, seq(
      field('object', $.expression), choice('.', '?.'), field('method', $.identifier),
      field('arguments', $.arguments),
    )),

    arguments: $ => seq('(', optional(commaSeparated(choice($.expression, $.closure))), ')'),

    // { it.score > 0.5 }, an argument of filter and its like
    closure: $ => seq('{', $.expression, '}'),

    member_expression: $ => prec(PREC.postfix, seq(
      field('object', $.expression), choice('.', '?.'), field('member', $.identifier),
    )),

    index_expression: $ => prec(PREC.postfix, seq(
      field('object', $.expression), choice('[', seq('?.', '[')), field('index', $.expression), ']',
    )),

    slice_expression: $ => prec(PREC.postfix, seq(
      field('object', $.expression), '[',
      optional(field('from', $.expression)), ':', optional(field('to', $.expression)), ']',
    )),

    parenthesized_expression: $ => seq('(', choice($.expression, $.if_expression), ')'),

    list: $ => seq('[', optional(commaSeparated($.expression)), ']'),

    object: $ => seq('{', optional(commaSeparated($.pair)), '}'),

    pair: $ => seq(
      field('key', choice($.identifier, $._text, $.number, $.parenthesized_expression)),
      ':', field('value', $.expression),
    ),

    // Literals

    _text: $ => choice($.string, $.raw_string, $.heredoc),

    string: $ => seq(
      '"',
      repeat(choice($.string_text, $.escape, $.template)),
      token.immediate('"'),
    ),

    string_text: _ => token.immediate(prec(2, choice(/[^"\\$\n]+/, '$'))),

    escape: _ => token.immediate(prec(2, choice(
      '$${', /\\["\\nrt]/, /\\u[0-9a-fA-F]{4}/, /\\U[0-9a-fA-F]{8}/,
    ))),

    template: $ => seq(token.immediate(prec(2, '${')), $.expression, '}'),

    raw_string: _ => /`[^`]*`/,

    heredoc: $ => seq(
      $.heredoc_start,
      repeat(choice(alias($._heredoc_text, $.string_text), $.template)),
      $.heredoc_end,
    ),

    number: _ => choice(
      /[0-9][0-9_]*(\.[0-9][0-9_]*)?([eE][+-]?[0-9][0-9_]*)?/,
      /0[xX][0-9a-fA-F_]+/, /0[oO][0-7_]+/, /0[bB][01_]+/,
    ),

    boolean: _ => choice('true', 'false'),

    null: _ => 'null',

    identifier: _ => /[\p{L}_][\p{L}\p{Nd}\p{Mn}\p{Mc}_]*/,

    comment: _ => token(choice(
      /#[^\n]*/,
      /\/\/[^\n]*/,
      /\/\*[^*]*\*+([^/*][^*]*\*+)*\//,
    )),
  },
});
