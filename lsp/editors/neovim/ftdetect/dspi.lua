-- Neovim's own table says that *.dsp is a makefile: files of a Visual Studio of
-- the nineties have that ending. These two ways win over it.
if vim.fn.has('nvim-0.8') == 1 then
  vim.filetype.add({ extension = { dsp = 'dspi', dspi = 'dspi' } })
else
  vim.api.nvim_create_autocmd({ 'BufRead', 'BufNewFile' }, {
    pattern = { '*.dsp', '*.dspi' },
    callback = function() vim.opt_local.filetype = 'dspi' end,
  })
end
