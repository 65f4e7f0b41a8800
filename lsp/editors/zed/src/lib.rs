//! Starts `dspi lsp` for Zed: the command of the settings, else the one on PATH.

use zed_extension_api::{self as zed, settings::LspSettings, LanguageServerId, Result};

struct Dspi;

impl zed::Extension for Dspi {
    fn new() -> Self {
        Dspi
    }

    fn language_server_command(
        &mut self,
        server: &LanguageServerId,
        worktree: &zed::Worktree,
    ) -> Result<zed::Command> {
        let binary = LspSettings::for_worktree(server.as_ref(), worktree)
            .ok()
            .and_then(|settings| settings.binary);
        let (path, arguments) = match binary {
            Some(binary) => (binary.path, binary.arguments),
            None => (None, None),
        };
        let command = path.or_else(|| worktree.which("dspi")).ok_or(
            "The command `dspi` was not found on PATH. Install it, or name it under lsp.dspi.binary.path in the settings.",
        )?;
        Ok(zed::Command {
            command,
            args: arguments.unwrap_or_else(|| vec!["lsp".into()]),
            env: worktree.shell_env(),
        })
    }
}

zed::register_extension!(Dspi);
