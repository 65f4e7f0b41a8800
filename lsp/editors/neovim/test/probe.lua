-- Runs in a headless Neovim: everything a person does with the server, once.
-- Exit status 1 and a line on stdout when something is not as it must be.
local function out(text) io.stdout:write(text .. '\n') end
local function fail(text)
  out('FAIL ' .. text)
  vim.cmd('cquit 1')
end
local function must(ok, what, got)
  if not ok then
    fail(what .. ': ' .. vim.inspect(got))
  end
end

local function main()
  local file, server = vim.env.DSPI_FILE, vim.env.DSPI_SERVER
  if vim.fn.has('nvim-0.11') == 1 and not vim.env.DSPI_SETUP then
    vim.lsp.config('dspi', { cmd = { server, 'lsp' } })
    vim.lsp.enable('dspi')
    require('dspi').command = server
  else
    require('dspi').setup({ cmd = { server, 'lsp' } })
  end
  vim.cmd('edit ' .. file)
  local buf = vim.api.nvim_get_current_buf()
  must(vim.bo.filetype == 'dspi', 'the type of the file', vim.bo.filetype)
  must(vim.bo.expandtab and vim.bo.shiftwidth == 2, 'the indentation', vim.bo.shiftwidth)

  local function clients()
    if vim.lsp.get_clients then
      return vim.lsp.get_clients({ name = 'dspi' })
    end
    return vim.tbl_values(vim.lsp.buf_get_clients(buf))
  end
  local function wait(what, condition) must(vim.wait(20000, condition, 10), 'not in time: ' .. what, #vim.diagnostic.get(buf)) end
  wait('a client', function() return #clients() == 1 and clients()[1].initialized end)
  local client = clients()[1]
  local encoding = client.offset_encoding

  local function text() return table.concat(vim.api.nvim_buf_get_lines(buf, 0, -1, false), '\n') end
  local function find(what, more)
    for i, line in ipairs(vim.api.nvim_buf_get_lines(buf, 0, -1, false)) do
      local at = line:find(what, 1, true)
      if at then
        return { line = i - 1, character = at - 1 + (more or 0) }
      end
    end
    fail('no ' .. what)
  end
  local doc = { uri = vim.uri_from_bufnr(buf) }
  local function ask(method, params, other)
    params.textDocument = other and { uri = vim.uri_from_bufnr(other) } or doc
    local answers = vim.lsp.buf_request_sync(other or buf, method, params, 10000)
    local answer = answers and answers[client.id]
    must(answer and not answer.error and not answer.err, method, answer)
    return answer.result
  end

  -- open, diagnose, code action
  wait('diagnostics', function() return #vim.diagnostic.get(buf) > 0 end)
  local d = vim.diagnostic.get(buf)[1]
  must(d.code == 'E0203', 'the code', d)
  local range = { start = find('questoin'), ['end'] = find('questoin', 8) }
  local actions = ask('textDocument/codeAction', { range = range, context = { diagnostics = { d.user_data.lsp } } })
  local fix
  for _, action in ipairs(actions) do
    fix = fix or action.edit
  end
  must(fix, 'no code action', actions)
  vim.lsp.util.apply_workspace_edit(fix, encoding)
  must(text():find('[question]', 1, true), 'the fix', text())
  wait('diagnostics to go', function() return #vim.diagnostic.get(buf) == 0 end)

  -- complete, hover, define
  local list = ask('textDocument/completion', { position = find('[question]', 1) })
  local labels = vim.tbl_map(function(i) return i.label end, list.items or list)
  must(vim.tbl_contains(labels, 'question'), 'completion', labels)
  local hover = ask('textDocument/hover', { position = find('predict respond') })
  must(vim.inspect(hover.contents):find('predict'), 'hover', hover)
  local place = ask('textDocument/definition', { position = find('program.rag', 9) })
  place = (vim.islist or vim.tbl_islist)(place) and place[1] or place
  must((place.range or place.targetRange).start.line == 0, 'definition', place)

  -- rename, format
  vim.lsp.util.apply_workspace_edit(ask('textDocument/rename', { position = find('rag {'), newName = 'search' }), encoding)
  must(text():find('program search {', 1, true) and text():find('program.search', 1, true), 'rename', text())
  vim.lsp.util.apply_text_edits(ask('textDocument/formatting', { options = { tabSize = 2, insertSpaces = true } }), buf, encoding)
  must(text():find('\n  predict unused {', 1, true), 'formatting', text())

  -- a lens, and what it does
  local lenses = ask('textDocument/codeLens', {})
  local run
  for _, lens in ipairs(lenses) do
    if lens.command and lens.command.command == 'dspi.run' then
      run = lens.command
    end
  end
  must(run, 'no lens', lenses)
  require('dspi').references(vim.api.nvim_buf_get_name(buf), 'search')
  must(#vim.fn.getqflist() == 1, 'references', vim.fn.getqflist())
  vim.cmd('cclose')
  local asked
  vim.ui.input = function(options, done)
    asked = options.prompt
    done('What is 6 * 7?')
  end
  local status
  vim.api.nvim_create_autocmd('TermClose', { callback = function() status = vim.v.event.status end })
  vim.lsp.commands['dspi.run'](run, { bufnr = buf, client_id = client.id })
  wait('the run', function() return status end)
  local shown = table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), '\n')
  must(status == 0 and shown:find('answer'), 'the run', shown)
  must(asked == 'question: string = ', 'the question for an input', asked)

  -- colours by tree-sitter, where a parser was built
  if vim.env.DSPI_PARSER and vim.fn.has('nvim-0.9') == 1 then
    local tree = vim.treesitter.get_parser(buf, 'dspi'):parse()[1]
    must(not tree:root():has_error(), 'the tree', tree:root():sexpr())
    local query = vim.treesitter.query.get('dspi', 'highlights')
    local seen = {}
    for id in query:iter_captures(tree:root(), buf) do
      seen[query.captures[id]] = true
    end
    must(seen.keyword and seen['function'] and seen.string, 'captures', seen)
    for _, name in ipairs({ 'folds', 'injections', 'locals', 'indents' }) do
      must(vim.treesitter.query.get('dspi', name), 'the query ' .. name)
    end
    must(vim.treesitter.highlighter.active[buf], 'highlighting by tree-sitter')
    out('tree-sitter: fine')
  else
    vim.cmd('syntax on')
    local at = vim.api.nvim_buf_call(buf, function()
      vim.cmd('syntax sync fromstart')
      return vim.fn.synIDattr(vim.fn.synID(1, 1, 1), 'name')
    end)
    must(at == 'dspiKeyword', 'syntax', at)
  end

  -- the files around programs have the same server, and no other .hcl file has it
  vim.cmd('syntax on')
  local folder = vim.fn.fnamemodify(file, ':h')
  for _, case in ipairs({
    { name = 'dspi.hcl', wrong = 'default_modle = "x"', code = 'E0501', offers = 'cache' },
    { name = 'own.dspvars', wrong = 'tome = "dry"', code = 'W0601', offers = 'tone' },
  }) do
    vim.cmd('edit ' .. folder .. '/' .. case.name)
    local other = vim.api.nvim_get_current_buf()
    must(vim.bo.filetype == 'dspi-hcl', 'the type of ' .. case.name, vim.bo.filetype)
    must(vim.bo.commentstring == '# %s' and vim.bo.shiftwidth == 2, 'the comments of ' .. case.name, vim.bo.commentstring)
    wait('the server of ' .. case.name, function() return vim.lsp.buf_is_attached(other, client.id) end)
    must(#(vim.lsp.get_clients or vim.lsp.get_active_clients)() == 1, 'a second server')
    local id = (client.get_language_id or client.config.get_language_id)(other, vim.bo.filetype)
    must(id == 'dspi-hcl', 'the language of ' .. case.name, id)
    vim.api.nvim_buf_set_lines(other, 0, -1, false, { case.wrong, '' })
    wait('a diagnostic of ' .. case.name, function()
      local found = vim.diagnostic.get(other)
      return #found == 1 and found[1].code == case.code
    end)
    local answer = ask('textDocument/completion', { position = { line = 1, character = 0 } }, other)
    local offered = vim.tbl_map(function(i) return i.label end, answer.items or answer)
    must(vim.tbl_contains(offered, case.offers), 'completion in ' .. case.name, offered)
    local drawn = vim.fn.synIDattr(vim.fn.synID(1, 1, 1), 'name')
    must(drawn == 'dspiHclName' or drawn == 'hclAttributeName', 'the colour of ' .. case.name, drawn)
  end
  vim.cmd('edit ' .. folder .. '/my.dspi.hcl')
  must(vim.bo.filetype == 'hcl', 'the type of another file', vim.bo.filetype)
  must(not vim.lsp.buf_is_attached(vim.api.nvim_get_current_buf(), client.id), 'another file has the server')

  if client.stop and vim.fn.has('nvim-0.11') == 1 then
    client:stop()
  else
    vim.lsp.stop_client(client.id)
  end
  local function stopped()
    if vim.fn.has('nvim-0.8') == 1 then
      return vim.lsp.get_client_by_id(client.id) == nil -- one that is stopping is still there
    end
    return vim.lsp.client_is_stopped(client.id)
  end
  wait('the end of the server', stopped)
  out('neovim ' .. tostring(vim.version and vim.version().major .. '.' .. vim.version().minor .. '.' .. vim.version().patch) .. ': 1 passed, 0 failed')
  vim.cmd('qall!')
end

local ok, err = pcall(main)
if not ok then
  fail(tostring(err))
end
