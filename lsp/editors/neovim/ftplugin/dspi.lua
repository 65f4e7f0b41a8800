vim.opt_local.expandtab = true
vim.opt_local.shiftwidth = 2
vim.opt_local.softtabstop = 2
vim.opt_local.tabstop = 2
vim.opt_local.comments = 's1:/*,mb:*,ex:*/,://,b:#'
vim.opt_local.commentstring = '# %s'
vim.b.undo_ftplugin = 'setlocal expandtab< shiftwidth< softtabstop< tabstop< comments< commentstring<'

-- With the parser installed, tree-sitter draws the colours; else syntax/dspi.vim.
if vim.fn.has('nvim-0.9') == 1 and #vim.api.nvim_get_runtime_file('parser/dspi.so', false) > 0 then
  vim.treesitter.start()
end
