-- Neovim's own table says that *.dsp is a makefile: files of a Visual Studio of
-- the nineties have that ending. These two ways win over it.
if vim.fn.has('nvim-0.8') == 1 then
  vim.filetype.add({
    extension = { dsp = 'dspi', dspi = 'dspi', dspvars = 'dspi-hcl' },
    filename = { ['dspi.hcl'] = 'dspi-hcl' },
  })
else
  for filetype, pattern in pairs({ dspi = { '*.dsp', '*.dspi' }, ['dspi-hcl'] = { 'dspi.hcl', '*.dspvars' } }) do
    vim.api.nvim_create_autocmd({ 'BufRead', 'BufNewFile' }, {
      pattern = pattern,
      callback = function() vim.opt_local.filetype = filetype end,
    })
  end
end
