-- For Neovim 0.11 and later: vim.lsp.enable('dspi')
require('dspi').commands()

return {
  cmd = { 'dspi', 'lsp' },
  filetypes = { 'dspi', 'dspi-hcl' },
  root_markers = { 'dspi.hcl', '.git' },
}
