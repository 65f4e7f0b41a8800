-- dspi in Neovim: the language server for versions before 0.11, and what its code
-- lenses do in all of them.
local M = { command = 'dspi' }

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

--- Starts the server for every .dsp file. For Neovim 0.7 to 0.10; later ones say
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
    pattern = 'dspi',
    callback = function(event) open(event.buf) end,
  })
  for _, buf in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_is_loaded(buf) and vim.api.nvim_buf_get_option(buf, 'filetype') == 'dspi' then
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

--- Tells Neovim what the server's code lenses do (vim.lsp.codelens.run()).
function M.commands()
  vim.lsp.commands['dspi.run'] = function(command) M.run(command.arguments[1], command.arguments[2]) end
  vim.lsp.commands['dspi.test'] = function(command) M.test(command.arguments[1], command.arguments[2]) end
end

return M
