-- dspi in Neovim: the language server for versions before 0.11, and what its code
-- lenses do in all of them.
local M = { command = 'dspi' }

-- filetypes are those of the files that the server is told of: programs, and the
-- settings and values around them.
local filetypes = { 'dspi', 'dspi-hcl' }

local function root(file)
  local folder = vim.fn.fnamemodify(file, ':p:h')
  for _, mark in ipairs({ 'dspi.hcl', '.git' }) do
    local found = vim.fn.findfile(mark, folder .. ';')
    if found == '' then
      found = vim.fn.finddir(mark, folder .. ';')
    end
    if found ~= '' then
      return vim.fn.fnamemodify(found, ':p:h' .. (mark == '.git' and ':h' or ''))
    end
  end
  return folder
end

local clients = {} -- by root, before vim.lsp.start

local function attach(buf, config)
  if vim.lsp.start then
    vim.lsp.start(config, { bufnr = buf })
    return
  end
  local id = clients[config.root_dir]
  if not id or vim.lsp.client_is_stopped(id) then
    id = vim.lsp.start_client(config)
    clients[config.root_dir] = id
  end
  if id then
    vim.lsp.buf_attach_client(buf, id)
  end
end

--- Starts the server for every .dsp file, dspi.hcl and *.dspvars. For Neovim 0.7 to 0.10; later ones say
--- vim.lsp.enable('dspi').
--- @param options table? cmd: the command, { 'dspi', 'lsp' }; and whatever vim.lsp.start_client takes
function M.setup(options)
  options = options or {}
  M.commands()
  local function open(buf)
    local config = vim.tbl_extend('force', {
      name = 'dspi',
      cmd = { M.command, 'lsp' },
      root_dir = root(vim.api.nvim_buf_get_name(buf)),
    }, options)
    M.command = config.cmd[1]
    attach(buf, config)
  end
  vim.api.nvim_create_autocmd('FileType', {
    pattern = filetypes,
    callback = function(event) open(event.buf) end,
  })
  for _, buf in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_is_loaded(buf) and vim.tbl_contains(filetypes, vim.api.nvim_buf_get_option(buf, 'filetype')) then
      open(buf)
    end
  end
end

-- terminal runs a command in a window below.
local function terminal(args, folder)
  vim.cmd('botright 12new')
  local command = { M.command }
  vim.list_extend(command, args)
  if vim.fn.has('nvim-0.11') == 1 then
    vim.fn.jobstart(command, { cwd = folder, term = true })
  else
    vim.fn.termopen(command, { cwd = folder })
  end
end

-- inputs asks for a program's inputs one by one, then calls done with them.
local function inputs(list, given, done)
  local first = list[1]
  if not first then
    done(given)
    return
  end
  vim.ui.input({ prompt = first.name .. ': ' .. first.type .. ' = ' }, function(text)
    if not text then
      return
    end
    if text ~= '' then
      local ok, value = pcall(vim.fn.json_decode, text)
      given[first.name] = (first.type:match('^string') or not ok) and text or value
    end
    inputs({ unpack(list, 2) }, given, done)
  end)
end

-- save writes the buffer of a file: the command reads it from the disk.
local function save(file)
  local buf = vim.fn.bufnr(file)
  if buf > 0 and vim.api.nvim_buf_get_option(buf, 'modified') then
    vim.api.nvim_buf_call(buf, function() vim.cmd('write') end)
  end
  return buf
end

--- Runs a program of a file, after asking for its inputs.
function M.run(file, program)
  local buf = save(file)
  local function start(list)
    inputs(list, {}, function(given)
      local input = vim.fn.tempname()
      vim.fn.writefile({ next(given) and vim.fn.json_encode(given) or '{}' }, input)
      terminal({ 'run', file, program, '--input', input }, vim.fn.fnamemodify(file, ':h'))
    end)
  end
  local params = { textDocument = { uri = vim.uri_from_fname(file) }, program = program }
  local answers = buf > 0 and vim.lsp.buf_request_sync(buf, 'dspi/plan', params, 2000) or {}
  for _, answer in pairs(answers) do
    if answer.result and type(answer.result.plan.inputs) == 'table' then
      start(answer.result.plan.inputs)
      return
    end
  end
  start({}) -- the run itself says what is wrong
end

--- Runs one test of a file.
function M.test(file, name)
  save(file)
  terminal({ 'test', file, '--filter', '^' .. name .. '$' }, vim.fn.fnamemodify(file, ':h'))
end

--- Measures a program on data, as an `evaluate` block says.
function M.evaluate(file, name)
  save(file)
  terminal({ 'eval', file, name }, vim.fn.fnamemodify(file, ':h'))
end

--- Tunes a program, as an `optimize` block says.
function M.optimize(file, name)
  save(file)
  terminal({ 'optimize', file, name }, vim.fn.fnamemodify(file, ':h'))
end

--- Lists where a program is used.
function M.references(file, program)
  local buf = vim.fn.bufnr(file)
  local params = { textDocument = { uri = vim.uri_from_bufnr(buf) }, context = { includeDeclaration = false } }
  for i, line in ipairs(vim.api.nvim_buf_get_lines(buf, 0, -1, false)) do
    local before, name = line:match('^(%s*program%s+"?)([^%s"{]+)')
    if name == program then
      params.position = { line = i - 1, character = #before }
    end
  end
  if not params.position then
    return
  end
  for id, answer in pairs(vim.lsp.buf_request_sync(buf, 'textDocument/references', params, 2000) or {}) do
    if answer.result then
      vim.fn.setqflist({}, ' ', {
        title = 'references of ' .. program,
        items = vim.lsp.util.locations_to_items(answer.result, vim.lsp.get_client_by_id(id).offset_encoding),
      })
      vim.cmd('botright copen')
      return
    end
  end
end

--- Tells Neovim what the server's code lenses do (vim.lsp.codelens.run()).
function M.commands()
  for _, name in ipairs({ 'run', 'test', 'evaluate', 'optimize', 'references' }) do
    vim.lsp.commands['dspi.' .. name] = function(command) M[name](unpack(command.arguments)) end
  end
end

return M
