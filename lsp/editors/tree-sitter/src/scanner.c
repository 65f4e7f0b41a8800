// What the grammar of dspi cannot say itself:
//
//   _newline       a line end that ends an item; none when the next line goes on
//   _block_open    the `{` of a body, on the line of its block
//   heredoc_start  <<EOT or <<-EOT with the rest of its line
//   _heredoc_text  the lines of a heredoc, up to a `${` or its mark
//   heredoc_end    the line that holds nothing but the mark

#include "tree_sitter/parser.h"

#include <stdlib.h>
#include <string.h>

enum Token { NEWLINE, BLOCK_OPEN, HEREDOC_START, HEREDOC_TEXT, HEREDOC_END, RECOVERING };

// Heredocs nest through `${…}`. What exceeds these is an error in the tree.
enum { MAX_DEPTH = 6, MAX_MARK = 32 };

typedef struct {
  int32_t mark[MAX_MARK];
  uint8_t length;
  bool line_start;  // the scanner stands at the start of a line
} Heredoc;

typedef struct {
  Heredoc open[MAX_DEPTH];
  uint8_t depth;
} Scanner;

void *tree_sitter_dspi_external_scanner_create(void) { return calloc(1, sizeof(Scanner)); }

void tree_sitter_dspi_external_scanner_destroy(void *payload) { free(payload); }

unsigned tree_sitter_dspi_external_scanner_serialize(void *payload, char *buffer) {
  Scanner *s = payload;
  unsigned n = 0;
  buffer[n++] = (char)s->depth;
  for (uint8_t i = 0; i < s->depth; i++) {
    Heredoc *h = &s->open[i];
    buffer[n++] = (char)h->length;
    buffer[n++] = (char)h->line_start;
    memcpy(buffer + n, h->mark, h->length * sizeof(int32_t));
    n += h->length * sizeof(int32_t);
  }
  return n;
}

void tree_sitter_dspi_external_scanner_deserialize(void *payload, const char *buffer, unsigned length) {
  Scanner *s = payload;
  s->depth = 0;
  if (length == 0) return;
  unsigned n = 0;
  uint8_t depth = (uint8_t)buffer[n++];
  for (uint8_t i = 0; i < depth && i < MAX_DEPTH; i++) {
    Heredoc *h = &s->open[i];
    h->length = (uint8_t)buffer[n++];
    h->line_start = buffer[n++];
    memcpy(h->mark, buffer + n, h->length * sizeof(int32_t));
    n += h->length * sizeof(int32_t);
    s->depth = i + 1;
  }
}

static bool blank(int32_t c) { return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f'; }

static bool name_rune(int32_t c) {
  return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80;
}

static void advance(TSLexer *lexer) { lexer->advance(lexer, false); }

// skip_comment goes over the comment at the lexer. It returns false if none
// begins there, or one that has no end.
static bool skip_comment(TSLexer *lexer) {
  if (lexer->lookahead == '/') {
    advance(lexer);
    if (lexer->lookahead == '*') {
      advance(lexer);
      bool star = false;
      while (!lexer->eof(lexer)) {
        if (star && lexer->lookahead == '/') {
          advance(lexer);
          return true;
        }
        star = lexer->lookahead == '*';
        advance(lexer);
      }
      return false;
    }
    if (lexer->lookahead != '/') return false;
  } else if (lexer->lookahead != '#') {
    return false;
  }
  while (!lexer->eof(lexer) && lexer->lookahead != '\n') advance(lexer);
  return true;
}

// line_goes_on reports whether the line after the lexer's place, space and
// comments aside, goes on with what stands before it.
static bool line_goes_on(TSLexer *lexer) {
  for (;;) {
    int32_t c = lexer->lookahead;
    if (lexer->eof(lexer)) return false;
    if (blank(c) || c == '\n') {
      advance(lexer);
    } else if (c == '#' || c == '/') {
      if (!skip_comment(lexer)) return false;
    } else {
      break;
    }
  }
  switch (lexer->lookahead) {
    case '|': case '?': case ':': case '.': case '"':
      return true;
    case '&':
      advance(lexer);
      return lexer->lookahead == '&';
  }
  return false;
}

// scan_start reads <<EOT; the lexer stands before it.
static bool scan_start(Scanner *s, TSLexer *lexer) {
  if (s->depth == MAX_DEPTH) return false;
  advance(lexer);
  if (lexer->lookahead != '<') return false;
  advance(lexer);
  if (lexer->lookahead == '-') advance(lexer);
  Heredoc *h = &s->open[s->depth];
  h->length = 0;
  if (lexer->lookahead >= '0' && lexer->lookahead <= '9') return false;
  while (name_rune(lexer->lookahead) && !lexer->eof(lexer)) {
    if (h->length == MAX_MARK) return false;
    h->mark[h->length++] = lexer->lookahead;
    advance(lexer);
  }
  if (h->length == 0) return false;
  lexer->mark_end(lexer);
  while (blank(lexer->lookahead)) advance(lexer);
  if (lexer->lookahead != '\n') return false;
  h->line_start = false;
  s->depth++;
  lexer->result_symbol = HEREDOC_START;
  return true;
}

// scan_text reads the text of the innermost heredoc, or its end.
static bool scan_text(Scanner *s, TSLexer *lexer, const bool *valid) {
  Heredoc *h = &s->open[s->depth - 1];
  bool any = false;
  for (;;) {
    if (h->line_start) {
      lexer->mark_end(lexer);
      bool text = any;
      while (blank(lexer->lookahead)) { advance(lexer); any = true; }
      uint8_t i = 0;
      while (i < h->length && lexer->lookahead == h->mark[i]) { advance(lexer); i++; any = true; }
      if (i == h->length && !name_rune(lexer->lookahead)) {
        if (!text) lexer->mark_end(lexer);
        while (blank(lexer->lookahead)) advance(lexer);
        if (lexer->lookahead == '\n' || lexer->eof(lexer)) {
          if (text) {
            lexer->result_symbol = HEREDOC_TEXT;
            return valid[HEREDOC_TEXT];
          }
          s->depth--;
          lexer->result_symbol = HEREDOC_END;
          return valid[HEREDOC_END];
        }
      }
      h->line_start = false;
    }
    if (lexer->eof(lexer)) return false;
    if (lexer->lookahead == '$') {
      lexer->mark_end(lexer);
      bool text = any;
      advance(lexer);
      any = true;
      if (lexer->lookahead == '{') {
        lexer->result_symbol = HEREDOC_TEXT;
        return text && valid[HEREDOC_TEXT];
      }
      if (lexer->lookahead == '$') {
        // `$${` is no template; of `$$` before anything else, one is text.
        advance(lexer);
        if (lexer->lookahead == '{') advance(lexer);
      }
      continue;
    }
    h->line_start = lexer->lookahead == '\n';
    advance(lexer);
    any = true;
  }
}

bool tree_sitter_dspi_external_scanner_scan(void *payload, TSLexer *lexer, const bool *valid) {
  Scanner *s = payload;
  bool recovering = valid[RECOVERING];
  if (!recovering && s->depth > 0 && (valid[HEREDOC_TEXT] || valid[HEREDOC_END])) {
    return scan_text(s, lexer, valid);
  }
  while (blank(lexer->lookahead)) lexer->advance(lexer, true);
  if (lexer->lookahead == '{' && valid[BLOCK_OPEN] && !recovering) {
    advance(lexer);
    lexer->mark_end(lexer);
    lexer->result_symbol = BLOCK_OPEN;
    return true;
  }
  if (lexer->lookahead == '\n') {
    if (valid[NEWLINE]) {
      advance(lexer);
      lexer->mark_end(lexer);
      lexer->result_symbol = NEWLINE;
      return !line_goes_on(lexer);
    }
    if (valid[BLOCK_OPEN]) return false;
    while (blank(lexer->lookahead) || lexer->lookahead == '\n') lexer->advance(lexer, true);
  }
  if (lexer->lookahead == '<' && valid[HEREDOC_START] && !recovering) {
    return scan_start(s, lexer);
  }
  return false;
}
