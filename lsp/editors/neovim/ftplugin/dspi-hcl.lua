vim.opt_local.expandtab = true
vim.opt_local.shiftwidth = 2
vim.opt_local.softtabstop = 2
vim.opt_local.tabstop = 2
vim.opt_local.comments = 's1:/*,mb:*,ex:*/,://,b:#'
vim.opt_local.commentstring = '# %s'
vim.b.undo_ftplugin = 'setlocal expandtab< shiftwidth< softtabstop< tabstop< comments< commentstring<'

-- With a parser for HCL installed, tree-sitter draws the colours; else syntax/dspi-hcl.vim.
local function found(file) return #vim.api.nvim_get_runtime_file(file, false) > 0 end
if vim.fn.has('nvim-0.9') == 1 and found('parser/hcl.so') and found('queries/hcl/highlights.scm') then
  vim.treesitter.start(0, 'hcl')
end
